"""What came of many requests: how many were served, and after how long."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WINDOW_SECONDS = 10.0
# So many times are remembered for the summary.
MOST_TIMES = 100_000


@dataclass(frozen=True, slots=True)
class RequestOutcome:
    """Of one request; `failure` says what is wrong with it, if anything."""

    milliseconds: float
    degraded: bool = False
    failure: str = ""


class Tally:
    """Of all requests; the p95 of a line is that of the last `WINDOW_SECONDS`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.ok = 0
        self.degraded = 0
        self.failures: Counter[str] = Counter()
        self._clock = clock
        self._began = clock()
        self._times: deque[float] = deque(maxlen=MOST_TIMES)
        self._recent: deque[tuple[float, float]] = deque()
        self._lock = threading.Lock()

    def add(self, outcome: RequestOutcome) -> None:
        with self._lock:
            if outcome.failure:
                self.failures[outcome.failure] += 1
            elif outcome.degraded:
                self.degraded += 1
            else:
                self.ok += 1
            self._times.append(outcome.milliseconds)
            self._recent.append((self._clock(), outcome.milliseconds))

    def line(self) -> str:
        """`12 s  ok 57  degraded 2  failed 1  p95 48 ms`."""
        with self._lock:
            now = self._clock()
            while self._recent and self._recent[0][0] < now - WINDOW_SECONDS:
                self._recent.popleft()
            p95 = percentile([time for _, time in self._recent], 95)
            return f"{now - self._began:.0f} s  {self._counts()}  p95 {_shown(p95)}"

    def summary(self) -> str:
        with self._lock:
            seconds = max(self._clock() - self._began, 0.001)
            count = self.ok + self.degraded + self.failures.total()
            p50, p95 = percentile(self._times, 50), percentile(self._times, 95)
            lines = [
                f"{count} requests in {seconds:.0f} s, {count / seconds:.1f} a second: "
                f"{self._counts()}  p50 {_shown(p50)}  p95 {_shown(p95)}",
                *(f"  {number:>6}  {why}" for why, number in self.failures.most_common()),
            ]
            return "\n".join(lines)

    def _counts(self) -> str:
        return f"ok {self.ok}  degraded {self.degraded}  failed {self.failures.total()}"


def percentile(values: Sequence[float] | deque[float], percent: int) -> float | None:
    """The nearest rank; None without values."""
    ranked = sorted(values)
    return ranked[math.ceil(len(ranked) * percent / 100) - 1] if ranked else None


def _shown(milliseconds: float | None) -> str:
    return "-" if milliseconds is None else f"{milliseconds:.0f} ms"
