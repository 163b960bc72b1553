"""Transactional outbox (microservices.io): an event is written in the transaction of its change.

This is what a service sees of it; `chassis.messaging.relay` publishes the rows after the commit.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from chassis.messaging.event import encode
from chassis.observability import tracing
from chassis.observability.tracing import TraceContext

# In a session's `info`: its commit has to wake the relay, and whether somebody waits for that.
RECORDED = "outbox.recorded"
# One text and one statement, however many rows: arrays where a list of VALUES would differ.
RECORD = sa.text(
    "INSERT INTO outbox (event_id, topic, key, type, payload, span) SELECT * FROM unnest("
    "CAST(:ids AS uuid[]), CAST(:topics AS text[]), CAST(:keys AS text[]), CAST(:types AS text[]),"
    " CAST(:payloads AS bytea[]), CAST(:spans AS text[]))"
)


@dataclass(frozen=True)
class Message:
    """An event to be published: `topic`, `key` and CloudEvents `type`; `data` becomes its JSON.

    `trace_context` is the span it belongs to, unless that is the current one.  Of a message that
    `is_awaited` somebody waits for what comes of it.
    """

    topic: str
    key: str
    type: str
    data: dict[str, Any]
    trace_context: TraceContext | None = None
    is_awaited: bool = False
    id: UUID = field(default_factory=uuid7)


class Outbox:
    """The table in a service's own schema."""

    def __init__(self, metadata: sa.MetaData) -> None:
        self.table = sa.Table(
            "outbox",
            metadata,
            sa.Column("position", sa.BigInteger, sa.Identity(), primary_key=True),
            sa.Column("event_id", sa.Uuid, nullable=False),
            sa.Column("topic", sa.String, nullable=False),
            sa.Column("key", sa.String, nullable=False),
            sa.Column("type", sa.String, nullable=False),
            sa.Column("payload", sa.LargeBinary, nullable=False),
            sa.Column("span", sa.Text),
            sa.Column(
                "recorded_at",
                sa.DateTime(timezone=True),
                nullable=False,
                server_default=sa.func.now(),
            ),
        )

    def record(self, session: Session, messages: Sequence[Message]) -> None:
        """Write `messages` in the transaction of `session`; its commit wakes the relay."""
        if not messages:
            return
        spans = [message.trace_context or tracing.current() for message in messages]
        columns = {
            "ids": [message.id for message in messages],
            "topics": [message.topic for message in messages],
            "keys": [message.key for message in messages],
            "types": [message.type for message in messages],
            "payloads": [encode(message.data) for message in messages],
            "spans": [span and tracing.to_text(span) for span in spans],
        }
        session.execute(RECORD, columns)
        earlier = session.info.get(RECORDED, False)
        session.info[RECORDED] = earlier or any(message.is_awaited for message in messages)
