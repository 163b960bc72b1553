"""Sliding windows (Resilience4j): what came of the last so many calls, or of those of some seconds.

Rates are over all calls, the good ones too.  A failure that may be the request's own fault is only
suspected: it is either forgiven later, as if the call had never been, or held against the service.
"""

from collections import deque
from typing import NamedTuple

from chassis.config.breaker_settings import BreakerSettings

SUCCEEDED, FAILED, SUSPECTED, SLOW = 0, 1, 2, 4


class WindowFigures(NamedTuple):
    """`failed` are those that are the service's fault for certain."""

    calls: int = 0
    failed: int = 0
    suspected: int = 0
    slow: int = 0
    slow_failed: int = 0

    @property
    def failure_rate(self) -> float:
        """In per cent, with all that is suspected."""
        return 100 * (self.failed + self.suspected) / self.calls if self.calls else 0.0

    @property
    def slow_rate(self) -> float:
        return 100 * self.slow / self.calls if self.calls else 0.0

    def without_suspected(self) -> "WindowFigures":
        return self._replace(calls=self.calls - self.suspected, suspected=0)


class CountBasedWindow:
    """A ring of outcomes: hardly any call is anything but a success after a success.

    `has_faults` unless all calls in it went well.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._start()

    def _start(self) -> None:
        self._outcomes = bytearray(self._size)
        self._numbers: dict[int, int] = {}
        self._next = self._calls = 0

    @property
    def has_faults(self) -> bool:
        return any(self._numbers.values())

    def add(self, outcome: int, _now: float) -> None:
        position = self._next
        before = self._outcomes[position]
        self._next = position + 1 if position + 1 < self._size else 0
        if self._calls < self._size:
            self._calls += 1
        elif before:
            self._numbers[before] -= 1
        if outcome or before:
            self._outcomes[position] = outcome
            if outcome:
                self._numbers[outcome] = self._numbers.get(outcome, 0) + 1

    def figures(self, _now: float) -> WindowFigures:
        return _figures(self._calls, self._numbers)

    def forgive(self) -> None:
        """The suspected calls have never been."""
        start = self._next if self._calls == self._size else 0
        ordered = self._outcomes[start : self._calls] + self._outcomes[:start]
        self._start()
        for outcome in ordered:
            if not outcome & SUSPECTED:
                self.add(outcome, 0.0)


class TimeBasedWindow:
    """One bucket for each second in which there were calls."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._buckets: deque[tuple[int, dict[int, int]]] = deque()
        self._numbers: dict[int, int] = {}

    @property
    def has_faults(self) -> bool:
        return self._numbers.get(SUCCEEDED, 0) < sum(self._numbers.values())

    def add(self, outcome: int, now: float) -> None:
        second = int(now)
        if not self._buckets or self._buckets[-1][0] != second:
            self._forget(second)
            self._buckets.append((second, {}))
        bucket = self._buckets[-1][1]
        bucket[outcome] = bucket.get(outcome, 0) + 1
        self._numbers[outcome] = self._numbers.get(outcome, 0) + 1

    def figures(self, now: float) -> WindowFigures:
        self._forget(int(now))
        return _figures(sum(self._numbers.values()), self._numbers)

    def forgive(self) -> None:
        """The suspected calls have never been."""
        for _, bucket in self._buckets:
            for outcome in [outcome for outcome in bucket if outcome & SUSPECTED]:
                self._numbers[outcome] -= bucket.pop(outcome)

    def _forget(self, second: int) -> None:
        while self._buckets and self._buckets[0][0] <= second - self._size:
            for outcome, number in self._buckets.popleft()[1].items():
                self._numbers[outcome] -= number


SlidingWindow = CountBasedWindow | TimeBasedWindow


def of(settings: BreakerSettings) -> SlidingWindow:
    size = settings.sliding_window_size
    is_counted = settings.sliding_window_type == "COUNT_BASED"
    return CountBasedWindow(size) if is_counted else TimeBasedWindow(size)


def _figures(calls: int, numbers: dict[int, int]) -> WindowFigures:
    total = numbers.get
    return WindowFigures(
        calls,
        failed=total(FAILED, 0) + total(FAILED | SLOW, 0),
        suspected=total(SUSPECTED, 0),
        slow=total(SLOW, 0) + total(FAILED | SLOW, 0),
        slow_failed=total(FAILED | SLOW, 0),
    )
