"""The audit trail: what is appended to it, and what an admin reads of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from chassis.audit.entry import AuditEntry
from chassis.core.live import Live
from chassis.data.housekeeping import TimeToLive
from chassis.web import pagination
from chassis.web.auth import Caller
from user_service.models import StoredAuditEntry
from user_service.rights.access import require_admin

OWN_NAME = "user-service"


@dataclass(frozen=True)
class AuditQuery:
    """Which entries are asked for: those with these values in the columns of these names."""

    values: Mapping[str, str]
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        row = StoredAuditEntry
        conditions = [getattr(row, name) == value for name, value in self.values.items()]
        if self.since is not None:
            conditions.append(row.occurred_at >= self.since)
        if self.until is not None:
            conditions.append(row.occurred_at < self.until)
        return conditions


class AuditTrail:
    """`keep_days` is how long what is appended from now on cannot be deleted by anybody."""

    def __init__(self, sessions: sessionmaker[Session], keep_days: Live[float]) -> None:
        self._sessions = sessions
        self._keep_days = keep_days

    @staticmethod
    def time_to_live() -> TimeToLive:
        """Each entry says itself until when it is kept."""
        return TimeToLive(StoredAuditEntry.keep_until, Live(timedelta()))

    def record(self, session: Session, entry: AuditEntry) -> None:
        """In the transaction of what it tells of."""
        self.append(session, [_row(entry)])

    def write(self, entries: Sequence[AuditEntry]) -> None:
        """In a transaction of their own."""
        with self._sessions.begin() as session:
            self.append(session, [_row(entry) for entry in entries])

    def append(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        """Of an entry that comes a second time there is one all the same."""
        keep = timedelta(days=self._keep_days.value)
        values = [{**row, "keep_until": row["occurred_at"] + keep} for row in rows]
        session.execute(insert(StoredAuditEntry).on_conflict_do_nothing(), values)

    def entries(
        self, caller: Caller, query: AuditQuery, page: pagination.Page
    ) -> tuple[list[StoredAuditEntry], str | None]:
        """A page, the newest first, and the key of its last row if more follow."""
        row = StoredAuditEntry
        statement = select(row).where(*query.conditions()).order_by(row.entry_id.desc())
        if page.after is not None:
            statement = statement.where(row.entry_id < pagination.id_of(page.after))
        with self._sessions() as session:
            require_admin(session, caller)
            rows = list(session.scalars(statement.limit(page.limit + 1)))
        more = len(rows) > page.limit
        return rows[: page.limit], str(rows[page.limit - 1].entry_id) if more else None


def account_path(user_id: UUID) -> str:
    """What is done to an account has this as its target."""
    return f"/users/{user_id}"


def _row(entry: AuditEntry) -> dict[str, Any]:
    return {
        "entry_id": entry.id,
        "occurred_at": entry.occurred_at,
        "service": OWN_NAME,
        "action": entry.action,
        "outcome": entry.outcome.value,
        "target": entry.target,
        "actor": entry.actor,
        "source": entry.source,
        "trace_id": entry.trace_id,
        "times": entry.times,
        "detail": dict(entry.detail),
    }
