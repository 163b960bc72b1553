"""Transactional outbox (microservices.io): an event is written in the transaction of its change.

This is what a service sees of it; `chassis.messaging.relay` publishes the rows after the commit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Identity,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    event,
    func,
    insert,
)
from sqlalchemy.orm import Session, sessionmaker
from uuid_utils.compat import uuid7

from chassis.messaging.event import encode
from chassis.observability import tracing
from chassis.observability.tracing import ZipkinAttrs

RECORDED = "outbox.recorded"


@dataclass(frozen=True)
class Message:
    """An event to be published: `topic`, `key` and CloudEvents `type`; `data` becomes its JSON.

    `trace_context` is the span it belongs to, unless that is the current one.
    """

    topic: str
    key: str
    type: str
    data: dict[str, Any]
    trace_context: ZipkinAttrs | None = None
    id: UUID = field(default_factory=uuid7)


class Outbox:
    """The table in a service's own schema."""

    def __init__(self, metadata: MetaData) -> None:
        now = func.now()
        self.table = Table(
            "outbox",
            metadata,
            Column("position", BigInteger, Identity(), primary_key=True),
            Column("event_id", Uuid, nullable=False),
            Column("topic", String, nullable=False),
            Column("key", String, nullable=False),
            Column("type", String, nullable=False),
            Column("payload", LargeBinary, nullable=False),
            Column("span", Text),
            Column("recorded_at", DateTime(timezone=True), nullable=False, server_default=now),
        )

    def record(self, session: Session, messages: Sequence[Message]) -> None:
        """Write `messages` in the transaction of `session`; its commit wakes the relay."""
        if messages:
            session.execute(insert(self.table), [_row(message) for message in messages])
            session.info[RECORDED] = True


def on_commit(sessions: sessionmaker[Session], notify: Callable[[], None]) -> None:
    """Call `notify` after each commit of a session of `sessions` that has recorded messages."""

    def committed(session: Session) -> None:
        if session.info.pop(RECORDED, False):
            notify()

    event.listen(sessions, "after_commit", committed)


def _row(message: Message) -> dict[str, Any]:
    span = message.trace_context or tracing.current()
    return {
        "event_id": message.id,
        "topic": message.topic,
        "key": message.key,
        "type": message.type,
        "payload": encode(message.data),
        "span": tracing.single(span) if span else None,
    }
