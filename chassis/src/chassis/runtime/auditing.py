"""Puts a service's refusals among the workers of its process, on their way to the audit trail."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from chassis.audit.entry import AuditEntry
from chassis.audit.events import audit_recorded
from chassis.audit.refusals import Refusals, Write
from chassis.data.outages import OUTAGES
from chassis.messaging.outbox import Outbox
from chassis.runtime.service import Process


def refusals(process: Process[Any], write: Write) -> Refusals:
    """Recorded by `write`, from the start of `process` on."""
    made = Refusals(write, process.live.map(lambda settings: settings.fusebox.audit), OUTAGES)
    process.workers.add("refusals", made.run)
    process.metrics.add(made.metrics)
    return made


def by_outbox(sessions: sessionmaker[Session], outbox: Outbox) -> Write:
    """For a service that does not keep the trail itself: as events, which nothing loses."""

    def write(entries: Sequence[AuditEntry]) -> None:
        with sessions.begin() as session:
            outbox.record(session, [audit_recorded(entry) for entry in entries])

    return write
