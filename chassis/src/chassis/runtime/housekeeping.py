"""Puts a service's housekeeping among the workers of its process."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from chassis.actuator.endpoints import ActuatorResponse, json_response
from chassis.data.housekeeping import Housekeeping, TimeToLive
from chassis.messaging.inbox import Inbox
from chassis.runtime.service import Process

PURGE_SECONDS = 2.0


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
    process.actuator.add("housekeeping", lambda _: _purged(housekeeping), "POST")
    process.metrics.add(housekeeping.metrics)


def _purged(housekeeping: Housekeeping) -> ActuatorResponse:
    """Whoever asks waits no longer than for another answer, and asks again unless all is done."""
    purge = housekeeping.purge(PURGE_SECONDS)
    return json_response(
        {
            "done": purge.is_whole,
            "tables": {
                name: {"removed": table.rows, "keepSeconds": table.keep.total_seconds()}
                for name, table in purge.tables.items()
            },
        }
    )


def of_inbox(process: Process[Any], inbox: Inbox) -> TimeToLive:
    """An event that is older than Kafka keeps its topic is not delivered again."""
    return TimeToLive(
        inbox.table.c.received_at,
        process.live.map(
            lambda settings: timedelta(days=settings.fusebox.housekeeping.inbox_keep_days)
        ),
    )
