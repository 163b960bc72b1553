"""What has happened lately in the registry, and how often since the process started."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from discovery.registry.models import Key, RegistryClock

MAX_ENTRIES = 100
MINUTE = 60


class LeaseEvent(StrEnum):
    REGISTERED = "registered"
    RENEWED = "renewed"
    CANCELLED = "cancelled"
    EVICTED = "evicted"


@dataclass(frozen=True, slots=True)
class JournalEntry:
    at: float
    key: Key
    event: LeaseEvent


class Journal:
    """`registered` and `gone` have the latest entry first."""

    def __init__(self, clock: RegistryClock) -> None:
        self._wall = clock.wall
        self._renewals = MeasuredRate(clock.steady)
        self.counts: Counter[LeaseEvent] = Counter()
        self.registered: deque[JournalEntry] = deque(maxlen=MAX_ENTRIES)
        self.gone: deque[JournalEntry] = deque(maxlen=MAX_ENTRIES)

    def record(self, event: LeaseEvent, key: Key) -> None:
        self.counts[event] += 1
        if event is LeaseEvent.RENEWED:
            self._renewals.count()
        else:
            entries = self.registered if event is LeaseEvent.REGISTERED else self.gone
            entries.appendleft(JournalEntry(self._wall(), key, event))

    @property
    def renewals_last_minute(self) -> int:
        return self._renewals.last_minute()


class MeasuredRate:
    """A rate per minute, counted by the second: 60 numbers, however busy the minute was."""

    def __init__(self, steady: Callable[[], float]) -> None:
        self._steady = steady
        self._seconds: deque[tuple[int, int]] = deque()

    def count(self) -> None:
        second = int(self._steady())
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = (second, self._seconds[-1][1] + 1)
        else:
            self._seconds.append((second, 1))
            self._forget(second)

    def last_minute(self) -> int:
        oldest = int(self._steady()) - MINUTE
        return sum(number for second, number in list(self._seconds) if second > oldest)

    def _forget(self, second: int) -> None:
        while self._seconds[0][0] <= second - MINUTE:
            self._seconds.popleft()
