"""Rates of the whole shop: whom they count, and that a change of one leaves the others alone."""

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.routing import rate_limit
from gateway.routing.rate_limit import RateDecision, RateExceeded
from gateway.routing.request_view import RequestView
from gateway.security import rate_policies
from gateway.settings import GatewayLimits

from ..shop import ManualClock

CLIENT = {"replenish-rate": 1, "burst-capacity": 3}
USER = {**CLIENT, "key-resolver": "user", "burst-capacity": 2}
LOGIN = {"replenish-rate": 0.1, "burst-capacity": 1, "predicates": ["Path=/login", "Method=POST"]}


class Rates:
    """Policies that a test changes, and requests of whoever it says."""

    def __init__(self, **policies: dict[str, Any]) -> None:
        self.clock = ManualClock()
        self.rates = rate_policies.ShopRates(self.clock)
        self.change(**policies)

    def change(self, **policies: dict[str, Any]) -> None:
        limits = GatewayLimits.model_validate({"rate-limits": policies})
        self.rates.follow(limits.rate_limits)

    def ask(
        self,
        path: str = "/x",
        method: str = "GET",
        remote: str = "9.9.9.9",
        user: str | None = None,
    ) -> list[RateDecision]:
        view = RequestView(method, path, remote=remote, user=user)
        return [*self.rates.take_of_client(view), *self.rates.take_of_user(view)]

    def passes(self, *given: Any, **more: Any) -> bool:
        return all(decision.allowed for decision in self.ask(*given, **more))


def test_each_client_and_each_user_has_buckets_of_its_own() -> None:
    rates = Rates(client=CLIENT, user=USER)

    assert [rates.passes(user="u") for _ in range(3)] == [True, True, False]
    assert [rates.passes(user="v", remote="8.8.8.8") for _ in range(2)] == [True, True]
    assert not rates.passes(user="u", remote="7.7.7.7")
    assert [rates.passes() for _ in range(2)] == [False, False]
    assert [rates.passes(remote="6.6.6.6") for _ in range(4)] == [True, True, True, False]


def test_a_policy_counts_what_its_predicates_hold_for() -> None:
    rates = Rates(login=LOGIN)

    assert rates.passes("/login", "POST")
    assert not rates.passes("/login", "POST")
    assert rates.ask("/login") == []
    assert rates.ask("/other", "POST") == []


@pytest.mark.parametrize("path", ["/login", "/login/", "/login%3Bx", "/login%2F", "/login%3Fa"])
def test_no_spelling_that_a_service_may_read_as_its_path_goes_by_it(path: str) -> None:
    rates = Rates(login=LOGIN)
    rates.ask("/login", "POST")

    assert not rates.passes(path, "POST")


def test_a_change_is_in_force_at_once_and_leaves_the_other_buckets_alone() -> None:
    rates = Rates(client=CLIENT, login=LOGIN)
    rates.ask("/login", "POST")

    rates.change(client={**CLIENT, "burst-capacity": 1}, login=LOGIN)

    assert [decision.policy.name for decision in rates.ask("/login", "POST")] == ["client", "login"]
    assert not rates.passes("/login", "POST", remote="9.9.9.9")
    rates.change(client={**CLIENT, "enabled": False}, login={**LOGIN, "enabled": "false"})
    assert rates.ask("/login", "POST") == []


def test_who_is_over_a_rate_is_told_which_and_when_to_come_back() -> None:
    rates = Rates(client=CLIENT, login=LOGIN)
    rates.ask("/login", "POST")

    with pytest.raises(RateExceeded) as refused:
        rate_policies.check(rates.ask("/login", "POST"))

    assert (refused.value.code, refused.value.retry_after) == ("rate-limited", 10)
    assert refused.value.members == {"violated-policies": ["login"]}


def test_made_up_clients_take_no_more_memory_than_there_is() -> None:
    rates = Rates(client=CLIENT)
    for number in range(rate_limit.MOST_BUCKETS + 100):
        rates.ask(remote=f"2001:db8:{number // 60_000:x}:{number % 60_000:x}::1")

    (counted,) = rates.rates._of_clients
    assert len(counted.buckets._buckets) == rate_limit.MOST_BUCKETS


@pytest.mark.parametrize(
    ("policies", "text"),
    [
        ({"client": {"replenish-rate": 0, "burst-capacity": 1}}, "replenish-rate"),
        ({"client": {"replenish-rate": 1}}, "burst-capacity"),
        ({"client": {**CLIENT, "requested-tokens": 4}}, "requested-tokens"),
        ({"client": {**CLIENT, "key-resolver": "me"}}, "'me' is unknown"),
        ({"client": {**CLIENT, "burst": 4}}, "burst"),
        ({"login": {**LOGIN, "predicates": ["Path=login"]}}, "a path begins with /"),
        ({"Log in": CLIENT}, "'Log in' is not a name"),
    ],
)
def test_a_wrong_policy_is_refused_with_the_key(policies: dict[str, Any], text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        GatewayLimits.model_validate({"rate-limits": policies})

    assert text in str(refused.value)
