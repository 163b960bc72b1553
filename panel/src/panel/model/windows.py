"""Figures of the last seconds, as differences of what a process has counted since it began."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_SECONDS = 10.0
# Older news says nothing about now.
STALE_SECONDS = 20.0
QUANTILE = 0.99


@dataclass(frozen=True)
class CallCounts:
    """What was counted so far; `durations` are cumulative, by their upper bounds in seconds."""

    calls: float
    errors: float = 0.0
    durations: Mapping[float, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CallFigures:
    """Calls a second, the share of errors, the 99th percentile in seconds; None is unknown."""

    rate: float | None = None
    errors: float | None = None
    p99: float | None = None

    def document(self) -> dict[str, float | None]:
        return {
            "rate": _rounded(self.rate, 2),
            "errors": _rounded(self.errors, 4),
            "p99": _rounded(self.p99, 4),
        }


NO_FIGURES = CallFigures()


class CallWindow:
    """The samples of the last `WINDOW_SECONDS`, and one from before."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, CallCounts]] = deque()

    def add(self, at: float, counts: CallCounts) -> float:
        """How many calls are new.  A process that counts less than before has begun anew."""
        if self._samples and counts.calls < self._samples[-1][1].calls:
            self._samples.clear()
        more = counts.calls - self._samples[-1][1].calls if self._samples else 0.0
        self._samples.append((at, counts))
        while len(self._samples) > 2 and self._samples[1][0] <= at - WINDOW_SECONDS:
            self._samples.popleft()
        return more

    def figures(self, now: float) -> CallFigures:
        if len(self._samples) < 2 or self._samples[-1][0] < now - STALE_SECONDS:
            return NO_FIGURES
        (began, first), (ended, last) = self._samples[0], self._samples[-1]
        calls, seconds = last.calls - first.calls, ended - began
        if seconds <= 0:
            return NO_FIGURES
        if calls <= 0:
            return CallFigures(rate=0.0)
        errors = (last.errors - first.errors) / calls
        return CallFigures(calls / seconds, errors, _quantile(first.durations, last.durations))


def _quantile(first: Mapping[float, float], last: Mapping[float, float]) -> float | None:
    """Interpolated in its bucket, as Prometheus' histogram_quantile does."""
    counted = {bound: last[bound] - first.get(bound, 0.0) for bound in sorted(last)}
    total = counted.get(math.inf, 0.0)
    if total <= 0:
        return None
    rank, below, lower = QUANTILE * total, 0.0, 0.0
    for bound, count in counted.items():
        if count >= rank:
            if math.isinf(bound):
                return lower
            share = (rank - below) / (count - below)
            return lower + (bound - lower) * share
        below, lower = count, bound
    return lower


def summed(counts: Mapping[object, CallCounts]) -> CallCounts:
    """Those of several series as one."""
    durations: dict[float, float] = {}
    for one in counts.values():
        for bound, count in one.durations.items():
            durations[bound] = durations.get(bound, 0.0) + count
    return CallCounts(
        sum(one.calls for one in counts.values()),
        sum(one.errors for one in counts.values()),
        durations,
    )


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
