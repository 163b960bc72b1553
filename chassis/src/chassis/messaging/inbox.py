"""Idempotent consumer (microservices.io): which events have had their effect already."""

from collections.abc import Sequence

from sqlalchemy import Column, DateTime, MetaData, Table, Uuid, func, text
from sqlalchemy.orm import Session

from chassis.messaging.event import Event

# One text and one statement, however many events.
CLAIM = text(
    "INSERT INTO inbox (event_id) SELECT unnest(CAST(:ids AS uuid[]))"
    " ON CONFLICT DO NOTHING RETURNING event_id"
)


class Inbox:
    def __init__(self, metadata: MetaData) -> None:
        self.table = Table(
            "inbox",
            metadata,
            Column("event_id", Uuid, primary_key=True),
            Column(
                "received_at",
                DateTime(timezone=True),
                nullable=False,
                server_default=func.now(),
                index=True,
            ),
        )

    def claim(self, session: Session, events: Sequence[Event]) -> list[Event]:
        """Those of `events` that nobody has handled, each once, in their order.

        The primary key decides, not a SELECT beforehand: of two consumers racing on one event
        only one can insert.  Entry and effect commit together or not at all.
        """
        first = {event.id: event for event in events}
        if not first:
            return []
        # In one order everywhere, so that two racing batches cannot deadlock.
        claimed = set(session.scalars(CLAIM, {"ids": sorted(first)}))
        return [event for id, event in first.items() if id in claimed]
