"""What a circuit breaker has counted and what has happened to it, for whoever looks later."""

from bisect import bisect_left
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

EVENTS_KEPT = 100
# Upper bounds in seconds; what takes longer than the last is counted beyond it.
DURATION_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True)
class CircuitBreakerEvent:
    breaker: str
    type: str
    at: datetime
    error: str | None = None
    duration_ms: int | None = None
    transition: str | None = None


class CircuitBreakerJournal:
    """Written under its breaker's lock."""

    def __init__(self, breaker: str) -> None:
        self._breaker = breaker
        self.events: deque[CircuitBreakerEvent] = deque(maxlen=EVENTS_KEPT)
        self.calls = {"successful": 0, "failed": 0, "ignored": 0}
        self.seconds = {"successful": 0.0, "failed": 0.0, "ignored": 0.0}
        self.durations = [0] * (len(DURATION_BOUNDS) + 1)
        self.not_permitted = 0

    def count(self, error: BaseException | None, elapsed: float) -> None:
        """Successes are no events: a hundred of them would push out the news."""
        kind = "failed" if error else "successful"
        self.calls[kind] += 1
        self.seconds[kind] += elapsed
        self.durations[bisect_left(DURATION_BOUNDS, elapsed)] += 1
        if error:
            self.add("ERROR", error=str(error), duration_ms=round(elapsed * 1000))

    def count_refusal(self) -> None:
        """All are counted, and the first of a row is an event: the others would push out news."""
        self.not_permitted += 1
        if not self.events or self.events[-1].type != "NOT_PERMITTED":
            self.add("NOT_PERMITTED")

    def add(self, kind: str, **facts: Any) -> None:
        self.events.append(CircuitBreakerEvent(self._breaker, kind, datetime.now(UTC), **facts))
