"""What has happened lately in the registry, and how often since the process began."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from discovery.registry.models import Clock, Key

KEPT = 100
MINUTE = 60


class Event(StrEnum):
    REGISTERED = "registered"
    RENEWED = "renewed"
    CANCELLED = "cancelled"
    EVICTED = "evicted"


@dataclass(frozen=True, slots=True)
class Entry:
    at: float
    key: Key
    event: Event


class Journal:
    """`registered` and `gone` have the latest entry first."""

    def __init__(self, clock: Clock) -> None:
        self._wall = clock.wall
        self._renewals = PerMinute(clock.steady)
        self.counts: Counter[Event] = Counter()
        self.registered: deque[Entry] = deque(maxlen=KEPT)
        self.gone: deque[Entry] = deque(maxlen=KEPT)

    def note(self, event: Event, key: Key) -> None:
        self.counts[event] += 1
        if event is Event.RENEWED:
            self._renewals.count()
        else:
            entries = self.registered if event is Event.REGISTERED else self.gone
            entries.appendleft(Entry(self._wall(), key, event))

    @property
    def renewals_last_minute(self) -> int:
        return self._renewals.last_minute()


class PerMinute:
    """Counts by the second, so that a minute costs 60 numbers however busy it was."""

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
