"""Token buckets: how many requests of one client pass, steadily and at once."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from chassis.core.errors import RateLimited
from gateway.routing.request_view import RequestView
from gateway.routing.syntax.arguments import Arguments
from gateway.routing.weights import ClientKey, key

BY_USER = ClientKey("user")
# Who comes back after so many others finds a full bucket.
MOST_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`replenish` tokens a second, `burst` at the most; a request costs `cost` of them."""

    replenish: int
    burst: int
    cost: int = 1
    key: ClientKey = BY_USER

    def key_of(self, view: RequestView) -> str:
        """Who cannot be told by the key is told by its address."""
        value = self.key.of(view)
        return f"{self.key.source} {value}" if value is not None else f"address {view.remote}"


def rate(arguments: Arguments) -> Rate:
    replenish = arguments.number("replenishRate", least=1)
    burst = arguments.number("burstCapacity", str(replenish), least=1)
    cost = arguments.number("requestedTokens", "1", least=1)
    if cost > burst:
        raise ValueError("requestedTokens: is more than burstCapacity, so nothing would ever pass")
    return Rate(replenish, burst, cost, arguments.read("key-resolver", key, "user"))


class RateDecision(NamedTuple):
    """`remaining` tokens, and the seconds after which the next request would pass."""

    rate: Rate
    allowed: bool
    remaining: int
    retry_after: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Replenish-Rate": str(self.rate.replenish),
            "X-RateLimit-Burst-Capacity": str(self.rate.burst),
            "X-RateLimit-Requested-Tokens": str(self.rate.cost),
        }


class RateExceeded(RateLimited):
    """Over the rate of a route; `headers` tell the client by how much."""

    def __init__(self, verdict: RateDecision) -> None:
        super().__init__(
            "This is more than may be asked in so short a time.", retry_after=verdict.retry_after
        )
        self.headers = verdict.headers


class TokenBuckets:
    """Those of one rate, by the client's key."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate = rate
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> RateDecision:
        """A refused request takes nothing."""
        rate, now = self.rate, self._clock()
        tokens, since = self._buckets.pop(key, (float(rate.burst), now))
        tokens = min(rate.burst, tokens + max(0.0, now - since) * rate.replenish)
        # A hair, for sums of fractions.
        allowed = tokens >= rate.cost - 1e-9
        if allowed:
            tokens = max(0.0, tokens - rate.cost)
        self._buckets[key] = (tokens, now)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        missing = max(0.0, rate.cost - tokens)
        return RateDecision(rate, allowed, int(tokens + 1e-9), math.ceil(missing / rate.replenish))
