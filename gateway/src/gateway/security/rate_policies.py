"""How much one client, and one user, may ask of the whole shop, whatever the route."""

import re
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, Field, PlainValidator, model_validator

from chassis.config.settings import Count, Positive, StrictSection
from gateway.routing import weights
from gateway.routing.predicates import UNSUPPORTED, Predicate
from gateway.routing.rate_limit import Rate, RateDecision, RateExceeded, TokenBuckets
from gateway.routing.request_view import RequestView
from gateway.routing.syntax import definitions
from gateway.routing.weights import ClientKey
from gateway.security.blocklist import KNOWN
from gateway.security.path_normalization import other_reading

NAME = re.compile(r"[a-z][a-z0-9-]*")


def _predicates(given: Any) -> tuple[Predicate, ...]:
    parsed = definitions.parse_all("", given, KNOWN, UNSUPPORTED) if given else ()
    return tuple(predicate.meaning for predicate in parsed)


def _named(policies: dict[str, "RatePolicy"]) -> dict[str, "RatePolicy"]:
    for name in policies:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name of small letters, digits and hyphens")
    return policies


class RatePolicy(StrictSection):
    """A token bucket for each client, in the words of Spring's RequestRateLimiter.

    It counts what all `predicates` hold for.  One by `user` counts only who has a token.
    """

    enabled: bool = True
    predicates: Annotated[tuple[Predicate, ...], PlainValidator(_predicates)] = ()
    key_resolver: Annotated[ClientKey, PlainValidator(weights.key)] = ClientKey("address")
    replenish_rate: Positive
    burst_capacity: Count
    requested_tokens: Count = Field(1)

    @model_validator(mode="after")
    def _check(self) -> "RatePolicy":
        if self.requested_tokens > self.burst_capacity:
            raise ValueError("requested-tokens: is more than burst-capacity: nothing would pass")
        return self

    @property
    def is_by_user(self) -> bool:
        return self.key_resolver.source == "user"

    def counts(self, view: RequestView) -> bool:
        for predicate in self.predicates:  # noqa: SIM110 - half as fast with all()
            if not predicate.holds(view):
                return False
        return True

    @property
    def rate(self) -> Rate:
        cost, key = self.requested_tokens, self.key_resolver
        return Rate(self.replenish_rate, self.burst_capacity, cost, key)


RatePolicies = Annotated[dict[str, RatePolicy], AfterValidator(_named)]


class CountedPolicy(NamedTuple):
    policy: RatePolicy
    buckets: TokenBuckets


class ShopRates:
    """The buckets of all policies; one that stays as it was goes on counting over a change."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[str, CountedPolicy] = {}
        self._of_clients: tuple[CountedPolicy, ...] = ()
        self._of_users: tuple[CountedPolicy, ...] = ()

    def follow(self, policies: Mapping[str, RatePolicy]) -> None:
        """From now on these are in force."""
        self._known = {
            name: self._counted(name, policy) for name, policy in policies.items() if policy.enabled
        }
        counted = self._known.values()
        self._of_clients = tuple(one for one in counted if not one.policy.is_by_user)
        self._of_users = tuple(one for one in counted if one.policy.is_by_user)

    def _counted(self, name: str, policy: RatePolicy) -> CountedPolicy:
        known = self._known.get(name)
        if known and known.buckets.rate == policy.rate:
            return CountedPolicy(policy, known.buckets)
        return CountedPolicy(policy, TokenBuckets(policy.rate, self._clock, name))

    def take_of_client(self, view: RequestView) -> list[RateDecision]:
        """Before anybody has looked at its token, which costs more than this does."""
        return _taken(self._of_clients, view)

    def take_of_user(self, view: RequestView) -> list[RateDecision]:
        return _taken(self._of_users, view) if view.user is not None else []


def check(decisions: list[RateDecision]) -> None:
    """Pass silently, or raise RateExceeded."""
    for decision in decisions:
        if not decision.allowed:
            raise RateExceeded(decision)


def _taken(policies: tuple[CountedPolicy, ...], view: RequestView) -> list[RateDecision]:
    """Up to the first that refuses."""
    decisions = []
    for policy, buckets in policies:
        if policy.predicates and not _counts(policy, view):
            continue
        decision = buckets.take(buckets.rate.key_of(view))
        decisions.append(decision)
        if not decision.allowed:
            break
    return decisions


def _counts(policy: RatePolicy, view: RequestView) -> bool:
    """Whether it is for this request, in whichever way a service may read its path."""
    if policy.counts(view):
        return True
    reading = other_reading(view.path)
    return reading is not None and policy.counts(view._replace(path=reading))
