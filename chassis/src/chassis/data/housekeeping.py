"""Housekeeping: rows that have had their time are deleted, in small batches that hinder nobody.

A batch is one short transaction; it skips rows that somebody else has locked, so that instances
which sweep at once share the work, and lets requests have their turn before the next one.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Executable,
    Interval,
    Table,
    bindparam,
    delete,
    func,
    literal_column,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, sessionmaker

from chassis.config.settings import HousekeepingSettings
from chassis.core.errors import first_line
from chassis.core.live import Live
from chassis.data.outages import OUTAGES

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class TimeToLive:
    """Rows of the table of `column` may go when what it says is longer ago than `keep`.

    NULL says never.  The column wants an index.
    """

    column: ColumnElement[Any] | InstrumentedAttribute[Any]
    keep: Live[timedelta]

    @property
    def table(self) -> Table:
        table = self.column.table
        assert isinstance(table, Table)
        return table


@dataclass(frozen=True)
class PurgedTable:
    """How many rows have gone, as they were older than `keep`."""

    rows: int
    keep: timedelta


@dataclass(frozen=True)
class Purge:
    """Unless it is whole, some rows have had their time and are still there."""

    tables: dict[str, PurgedTable]
    is_whole: bool


class Housekeeping:
    """`run` is for Workers: a sweep of all tables now and then."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        settings: Live[HousekeepingSettings],
        times_to_live: Sequence[TimeToLive],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sessions = sessions
        self._settings = settings
        self._times_to_live = list(times_to_live)
        self._clock = clock
        self._removed = {ttl.table.name: 0 for ttl in times_to_live}
        # When the oldest row of each table is from; None while there is none.
        self._oldest: dict[str, float | None] = {}

    def run(self, stop: threading.Event) -> None:
        swept = time.monotonic()
        # In short waits, so that a changed interval applies at once.
        while not stop.wait(min(LOOK_SECONDS, self._settings.value.interval_seconds)):
            if time.monotonic() - swept < self._settings.value.interval_seconds:
                continue
            swept = time.monotonic()
            try:
                for ttl in self._times_to_live:
                    self.sweep(ttl, stop)
            except OUTAGES as error:
                log.warning("old rows stay: %s", first_line(error))

    def purge(self, seconds: float) -> Purge:
        """A sweep of all tables now, which ends after about so many seconds at the latest."""
        over = threading.Event()
        timer = threading.Timer(seconds, over.set)
        timer.start()
        try:
            tables = {
                ttl.table.name: PurgedTable(self.sweep(ttl, over), ttl.keep.value)
                for ttl in self._times_to_live
            }
        finally:
            timer.cancel()
        return Purge(tables, is_whole=not over.is_set())

    def sweep(self, ttl: TimeToLive, stop: threading.Event) -> int:
        """Delete what has had its time, until nothing is left or `stop`; how many rows that was."""
        name, removed = ttl.table.name, 0
        while True:
            settings = self._settings.value
            with self._sessions.begin() as session:
                deleted: CursorResult[Any] = session.execute(  # type: ignore[assignment]
                    deletion(ttl), {"keep": ttl.keep.value, "batch": settings.batch_size}
                )
            batch = deleted.rowcount
            removed += batch
            self._removed[name] += batch
            if batch < settings.batch_size or stop.wait(settings.pause_seconds):
                break
        with self._sessions.begin() as session:
            since = session.scalar(_oldest(ttl))
        self._oldest[name] = None if since is None else float(since)
        return removed

    def metrics(self) -> Iterable[Metric]:
        removed = CounterMetricFamily(
            "housekeeping_rows_removed", "Rows deleted after their time.", labels=("table",)
        )
        oldest = GaugeMetricFamily(
            "housekeeping_oldest_row_seconds",
            "The age of a table's oldest row, as of the last sweep.",
            labels=("table",),
        )
        for name, rows in self._removed.items():
            removed.add_metric((name,), rows)
        for name, since in list(self._oldest.items()):
            oldest.add_metric((name,), 0.0 if since is None else self._clock() - since)
        return removed, oldest


def deletion(ttl: TimeToLive) -> Executable:
    """By place and not by key: no index but the column's is read, whatever the key is."""
    place: ColumnElement[Any] = literal_column("ctid")
    old = (
        select(place)
        .select_from(ttl.table)
        .where(ttl.column < func.now() - bindparam("keep", type_=Interval()))
        .order_by(ttl.column)
        .limit(bindparam("batch"))
        .with_for_update(skip_locked=True)
    )
    return delete(ttl.table).where(place == func.any(func.array(old.scalar_subquery())))


def _oldest(ttl: TimeToLive) -> Executable:
    return select(func.extract("epoch", func.min(ttl.column)))
