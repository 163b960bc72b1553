"""Puts a service's housekeeping among the workers of its process."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from chassis.data.housekeeping import Housekeeping, TimeToLive
from chassis.messaging.inbox import Inbox
from chassis.runtime.service import Process


def sweep(
    process: Process[Any], sessions: sessionmaker[Session], *times_to_live: TimeToLive
) -> None:
    """Delete rows after their time to live, from the start of `process` on."""
    housekeeping = Housekeeping(
        sessions,
        process.live.map(lambda settings: settings.fusebox.housekeeping),
        times_to_live,
    )
    process.workers.add("housekeeping", housekeeping.run)
    process.metrics.add(housekeeping.metrics)


def of_inbox(process: Process[Any], inbox: Inbox) -> TimeToLive:
    """An event that is older than Kafka keeps its topic is not delivered again."""
    return TimeToLive(
        inbox.table.c.received_at,
        process.live.map(
            lambda settings: timedelta(days=settings.fusebox.housekeeping.inbox_keep_days)
        ),
    )
