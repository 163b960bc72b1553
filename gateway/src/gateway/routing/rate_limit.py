"""Token buckets: how many requests of one client pass, steadily and at once."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from chassis.core.errors import RateLimited
from gateway.http import client_address
from gateway.routing.request_view import NO_HEADERS, RequestView
from gateway.routing.syntax.arguments import Arguments
from gateway.routing.weights import ClientKey, key

BY_USER = ClientKey("user")
# Who comes back after so many others finds a full bucket.
MOST_BUCKETS = 10_000
# A hair, for sums of fractions.
HAIR = 1e-9


@dataclass(frozen=True, slots=True)
class Rate:
    """`replenish` tokens a second, `burst` at the most; a request costs `cost` of them."""

    replenish: float
    burst: int
    cost: int = 1
    key: ClientKey = BY_USER

    def key_of(self, view: RequestView) -> str:
        """Who cannot be told by the key is told by its address."""
        value = self.key.of(view)
        if value is None or self.key.source == "address":
            return f"address {client_address.network(view.remote or '')}"
        return f"{self.key.source} {value}"


def rate(arguments: Arguments) -> Rate:
    replenish = arguments.number("replenishRate", least=1)
    burst = arguments.number("burstCapacity", str(replenish), least=1)
    cost = arguments.number("requestedTokens", "1", least=1)
    if cost > burst:
        raise ValueError("requestedTokens: is more than burstCapacity, so nothing would ever pass")
    return Rate(replenish, burst, cost, arguments.read("key-resolver", key, "user"))


class RateDecision(NamedTuple):
    """`tokens` are left, after this request if it was `allowed`."""

    policy: "QuotaPolicy"
    allowed: bool
    tokens: float

    @property
    def rate(self) -> Rate:
        return self.policy.rate

    @property
    def retry_after(self) -> int:
        """Seconds until the next request passes; 0 when it would at once."""
        return 0 if self.tokens >= self.rate.cost - HAIR else self.seconds_to_next

    @property
    def remaining(self) -> int:
        """So many requests pass at once."""
        return int((self.tokens + HAIR) / self.rate.cost)

    @property
    def seconds_to_next(self) -> int:
        """Until then no more than `remaining` requests pass."""
        missing = (self.remaining + 1) * self.rate.cost - self.tokens
        return math.ceil(missing / self.rate.replenish - HAIR)

    @property
    def item(self) -> str:
        """`remaining` and `seconds_to_next` of its policy, at the cost of one of them."""
        policy, _, tokens = self
        rate = policy.rate
        remaining = int((tokens + HAIR) / rate.cost)
        missing = (remaining + 1) * rate.cost - tokens
        seconds = math.ceil(missing / rate.replenish - HAIR)
        return f"{policy.quoted};r={remaining};t={seconds}"

    @property
    def headers(self) -> dict[str, str]:
        """Those of Spring's RedisRateLimiter."""
        return {
            "X-RateLimit-Remaining": str(int(self.tokens + HAIR)),
            "X-RateLimit-Replenish-Rate": str(self.rate.replenish),
            "X-RateLimit-Burst-Capacity": str(self.rate.burst),
            "X-RateLimit-Requested-Tokens": str(self.rate.cost),
        }


class RateExceeded(RateLimited):
    """Over a rate; `headers` go with the answer."""

    def __init__(self, decision: RateDecision, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(
            "This is more than may be asked in so short a time.", retry_after=decision.retry_after
        )
        self.members["violated-policies"] = [decision.policy.name]
        self.headers = headers


class QuotaPolicy:
    """A rate under a name, as an Item of structured fields (RFC 9651).

    The draft's words: `q` requests within a window of `w` seconds.
    """

    def __init__(self, rate: Rate, name: str = "default") -> None:
        self.rate = rate
        self.name = name
        self.quoted = _string(name)
        window = max(1, math.ceil(rate.burst / rate.replenish))
        self.item = f"{self.quoted};q={rate.burst // rate.cost};w={window}"


class TokenBuckets:
    """Those of one policy, by the client's key."""

    def __init__(
        self, rate: Rate, clock: Callable[[], float] = time.monotonic, name: str = "default"
    ) -> None:
        self.rate = rate
        self._policy = QuotaPolicy(rate, name)
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str) -> RateDecision:
        """A refused request takes nothing."""
        rate, now = self.rate, self._clock()
        tokens, since = self._buckets.pop(key, (float(rate.burst), now))
        tokens = min(rate.burst, tokens + max(0.0, now - since) * rate.replenish)
        allowed = tokens >= rate.cost - HAIR
        if allowed:
            tokens = max(0.0, tokens - rate.cost)
        self._buckets[key] = (tokens, now)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return RateDecision(self._policy, allowed, tokens)


def fields(decisions: Sequence[RateDecision]) -> dict[str, str]:
    """RateLimit and RateLimit-Policy of draft-ietf-httpapi-ratelimit-headers-11."""
    if not decisions:
        return {}
    policies, limits = [], []
    for decision in decisions:
        policies.append(decision.policy.item)
        limits.append(decision.item)
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(limits)}


def _string(text: str) -> str:
    """A String of structured fields (RFC 9651, 3.3.3), which is ASCII."""
    ascii_only = text.encode("ascii", "replace").decode()
    printable = "".join(character if " " <= character <= "~" else "?" for character in ascii_only)
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"') + '"'
