"""Which traces are recorded: a share of the new ones, so many a second, and what went wrong.

A route may have a share and a rate of its own: what is asked most is seldom what one looks for.

A share alone records ten times more when ten times more is asked; a rate bounds what tracing costs
(the reservoir of Brave's RateLimitingSampler).  What is not sampled costs little, so that one only
learns at its end that it failed or was slow: then the span of that one request is kept.
"""

import random
import re
import time
from collections.abc import Callable
from typing import NamedTuple

from chassis.core.live import Live

# A service of which every answer fails must not pay for it with its tracing.
KEPT_A_SECOND = 10.0


class RouteRules(NamedTuple):
    """As SamplingRules, for the requests whose path matches `path`."""

    path: str
    probability: float = 1.0
    rate: float | None = None

    def pattern(self) -> re.Pattern[str]:
        """`*` is one segment, `**` any number of them, the end of what is before it included."""
        text = re.escape(self.path).replace(r"/\*\*", r"(?:/.*)?").replace(r"\*", r"[^/]*")
        return re.compile(text, re.DOTALL)


class SamplingRules(NamedTuple):
    """`probability` is 0 to 1; `rate` is in new traces a second, None for as many as come.

    An unsampled request that took longer than `slow_seconds` is kept as one that failed is.
    The first of `routes` that matches a request's path decides in the place of both figures.
    """

    probability: float = 1.0
    rate: float | None = None
    slow_seconds: float = 1.0
    routes: tuple[RouteRules, ...] = ()


class Reservoir:
    """At most `rate` a second, and as many at once after a second without any."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._filled = clock()
        self._left: float | None = None

    def takes_one(self, rate: float) -> bool:
        now = self._clock()
        # Of a rate below one a second the first one is taken at once, too.
        most = max(rate, 1.0) if rate > 0 else 0.0
        left = most if self._left is None else self._left + (now - self._filled) * rate
        self._filled, self._left = now, min(left, most)
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Sampler:
    """Decides once a trace, where it begins; `rules` may change at any time."""

    def __init__(
        self, rules: Live[SamplingRules], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules = rules
        self._patterns = rules.map(_patterns)
        self._clock = clock
        self._new_traces = Reservoir(clock)
        self._failures = Reservoir(clock)
        # By route, so that a change of the rates gives nobody a second helping.
        self._new_traces_of: dict[str, Reservoir] = {}

    def samples_new_trace(self, path: str = "") -> bool:
        """Whether a trace that begins with a request for `path` is to be recorded."""
        for route, pattern in self._patterns.value:
            if pattern.fullmatch(path):
                reservoir = self._new_traces_of.get(route.path)
                if reservoir is None:
                    made = Reservoir(self._clock)
                    reservoir = self._new_traces_of.setdefault(route.path, made)
                return _takes(route.probability, route.rate, reservoir)
        probability, rate, *_ = self._rules.value
        return _takes(probability, rate, self._new_traces)

    def keeps(self, is_failed: bool, seconds: float) -> bool:
        """Whether a request that was not sampled is recorded after all."""
        if not is_failed and seconds <= self._rules.value.slow_seconds:
            return False
        return self._failures.takes_one(KEPT_A_SECOND)


def _takes(probability: float, rate: float | None, reservoir: Reservoir) -> bool:
    if probability < 1 and random.random() >= probability:
        return False
    return rate is None or reservoir.takes_one(rate)


def _patterns(rules: SamplingRules) -> list[tuple[RouteRules, re.Pattern[str]]]:
    return [(route, route.pattern()) for route in rules.routes]
