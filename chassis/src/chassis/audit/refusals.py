"""Refusals on their way into the audit trail: one by one while they are few, of a flood the number.

Who guesses passwords by the thousand must not fill the database with it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from prometheus_client.core import CounterMetricFamily, Metric

from chassis.audit.entry import AuditEntry
from chassis.config.settings import AuditSettings
from chassis.core.clock import rfc3339
from chassis.core.errors import Forbidden, InvalidToken, NotTheirs, Problem, first_line
from chassis.core.live import Live

log = logging.getLogger(__name__)

MINUTE = 60.0
TOGETHER_SECONDS = 10.0
LOOK_SECONDS = 1.0
# So many kinds are told apart at a time, by what was tried, by whom and from where.
MOST_KINDS = 20

# Of all the others no more is told than how many they were.
ANY = "any"

RefusalKey = tuple[str, str | None, str | None]
Write = Callable[[Sequence[AuditEntry]], None]

# Who asks for what is not theirs, or by a token that is none.
REFUSALS = (Forbidden, InvalidToken, NotTheirs)
# It happens to every token, and says nothing of who shows it.
EXPIRED = "token-expired"


def is_refusal(problem: Problem) -> bool:
    """Whether it is one for the audit trail."""
    return isinstance(problem, REFUSALS) and problem.code != EXPIRED


@dataclass
class RefusalAllowance:
    """A token bucket that is full of a minute's worth."""

    per_minute: Live[int]
    clock: Callable[[], float]

    def __post_init__(self) -> None:
        self._left = float(self.per_minute.value)
        self._at = self.clock()

    def take(self) -> bool:
        now, limit = self.clock(), self.per_minute.value
        self._left = min(limit, self._left + (now - self._at) * limit / MINUTE)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Refusals:
    """`write` puts entries where they are kept, unless it raises one of `outages`.

    `run` is for Workers.
    """

    def __init__(
        self,
        write: Write,
        settings: Live[AuditSettings],
        outages: tuple[type[Exception], ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._outages = outages
        self._allowance = RefusalAllowance(
            settings.map(lambda audit: audit.refusals_per_minute), clock
        )
        self._lock = threading.Lock()
        self._together: dict[RefusalKey, AuditEntry] = {}
        self._recorded = 0
        self._waits_for = ""

    def record(self, entry: AuditEntry) -> None:
        """Never fails: what cannot be written now is told together with others, later."""
        with self._lock:
            self._recorded += 1
            if not self._allowance.take():
                self._add(entry)
                return
        self._try_to_write([entry])

    def run(self, stop: threading.Event) -> None:
        written = time.monotonic()
        while not stop.wait(LOOK_SECONDS):
            if self._together and time.monotonic() - written >= TOGETHER_SECONDS:
                self.flush()
                written = time.monotonic()
        self.flush()

    def flush(self) -> None:
        """Write what was to be told together."""
        with self._lock:
            entries, self._together = list(self._together.values()), {}
        if entries:
            until = rfc3339(datetime.now(UTC))
            self._try_to_write(
                [replace(entry, detail={**entry.detail, "until": until}) for entry in entries]
            )

    def metrics(self) -> Iterable[Metric]:
        recorded = CounterMetricFamily("audit_refusals", "Refusals for the audit trail.")
        recorded.add_metric((), self._recorded)
        return (recorded,)

    def _try_to_write(self, entries: Sequence[AuditEntry]) -> None:
        try:
            self._write(entries)
            self._waits_for = ""
        except self._outages as error:
            reason = first_line(error)
            if reason != self._waits_for:
                log.warning("refusals wait for the audit trail: %s", reason)
            self._waits_for = reason
            with self._lock:
                for entry in entries:
                    self._add(entry)

    def _add(self, entry: AuditEntry) -> None:
        kind = _kind(entry)
        if kind not in self._together and len(self._together) >= MOST_KINDS:
            entry = replace(entry, action=ANY, actor=None, source=None, target="", detail={})
            kind = _kind(entry)
        known = self._together.get(kind)
        self._together[kind] = (
            replace(known, times=known.times + entry.times) if known is not None else entry
        )


def _kind(entry: AuditEntry) -> RefusalKey:
    return entry.action, entry.actor, entry.source
