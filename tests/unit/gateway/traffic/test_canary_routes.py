"""A service on trial: its routes are split, its errors shift everything back."""

from typing import Any

import pytest
from pydantic import ValidationError

from chassis.core.live import Live
from gateway.routing import route_definitions
from gateway.routing.request_view import RequestView
from gateway.routing.route import Route
from gateway.routing.target import Target
from gateway.rules import GatewayRules
from gateway.settings import GatewaySettings
from gateway.traffic import canary_routes

SHOP: list[dict[str, Any]] = [
    {"id": "orders", "uri": "lb://order-service", "predicates": ["Path=/orders/**"]},
    {
        "id": "catalog",
        "uri": "lb://catalog-service",
        "predicates": ["Path=/catalog/**"],
        "filters": ["StripPrefix=1", "CircuitBreaker=shelves, forward:/orders"],
    },
    {"id": "rest", "uri": "lb://order-service", "predicates": ["Path=/**"]},
]


class GatewayUnderTest:
    """Its rules, and who is there to be called."""

    def __init__(self, **canary: str) -> None:
        self.is_there = True
        self.settings = Live(GatewaySettings())
        self.set(**canary)
        self.rules = GatewayRules(self.settings, is_there=self._is_there)

    def set(self, **canary: str) -> None:
        canaries = {"catalog-service": {name.replace("_", "-"): v for name, v in canary.items()}}
        tree = {
            "spring": {"cloud": {"gateway": {"routes": SHOP}}},
            "fusebox": {"gateway": {"canaries": canaries}},
        }
        self.settings.set(GatewaySettings.model_validate(tree))

    def _is_there(self, target: Target) -> bool:
        return self.is_there or not target.metadata

    def route_for(self, user: str | None = None) -> Route:
        route = self.rules.find(RequestView("GET", "/catalog/x", user=user))
        assert route
        return route

    def share(self) -> float:
        return sum(self.route_for().id == "catalog-canary" for _ in range(2000)) / 2000

    def fail(self, calls: int) -> None:
        canary = next(route for route in self.rules.table.routes if route.id == "catalog-canary")
        for _ in range(calls):
            self.rules.canaries.record(canary, failed=True)


def test_only_the_routes_of_the_service_are_split_and_keep_their_place() -> None:
    routes = GatewayUnderTest(weight="10").rules.table.routes

    assert [route.id for route in routes] == ["orders", "catalog", "catalog-canary", "rest"]
    canary = routes[2]
    assert canary.target.uri == "lb://catalog-service?canary=true"
    assert canary.inner_path(RequestView("GET", "/catalog/x")) == "/x"
    assert canary.breaker
    assert canary.breaker.name == "shelves@canary"
    assert canary.target.name == "catalog-service@canary"


@pytest.mark.parametrize("canary", [{}, {"weight": "0"}])
def test_without_a_weight_all_is_as_before(canary: dict[str, str]) -> None:
    assert len(GatewayUnderTest(**canary).rules.table.routes) == len(SHOP)


def test_a_route_that_has_a_weight_or_a_version_already_is_left_alone() -> None:
    own = [
        {**SHOP[1], "uri": "lb://catalog-service?version=1"},
        {**SHOP[1], "id": "weighted", "predicates": ["Path=/c", "Weight=g, 1"]},
    ]

    routes = canary_routes.split(
        route_definitions.parse(own), {"catalog-service": canary_routes.CanarySettings(weight=10)}
    )

    assert [route.id for route in routes] == ["catalog", "weighted"]


def test_it_gets_its_share_of_those_who_have_nothing_to_stick_by() -> None:
    assert abs(GatewayUnderTest(weight="10").share() - 0.1) < 0.04
    assert GatewayUnderTest(weight="100").share() == 1


def test_a_user_sticks_to_a_version_if_asked() -> None:
    gateway = GatewayUnderTest(weight="30", sticky="user")

    routes = {user: gateway.route_for(user).id for user in map(str, range(500))}

    assert all(gateway.route_for(user).id == route for user, route in routes.items())
    assert abs(list(routes.values()).count("catalog-canary") / 500 - 0.3) < 0.1


@pytest.mark.parametrize("weight", ["10", "100"])
def test_errors_shift_everything_back_until_it_is_set_anew(weight: str) -> None:
    gateway = GatewayUnderTest(weight=weight, attempt="1")

    gateway.fail(20)

    assert gateway.rules.canaries.rolled_back() == ["catalog-canary"]
    assert gateway.share() == 0
    gateway.set(weight=weight, attempt="2")
    assert gateway.share() > 0
    assert gateway.rules.canaries.rolled_back() == []


@pytest.mark.parametrize("weight", ["10", "100"])
def test_a_canary_that_has_died_gets_nothing_until_it_is_back(weight: str) -> None:
    gateway = GatewayUnderTest(weight=weight)

    gateway.is_there = False
    assert gateway.share() == 0

    gateway.is_there = True
    assert gateway.share() > 0


@pytest.mark.parametrize(
    ("key", "value"), [("weight", "101"), ("weight", "a few"), ("sticky", "moon")]
)
def test_a_wrong_word_is_refused_by_its_name(key: str, value: str) -> None:
    with pytest.raises(ValidationError, match=rf"canaries.catalog-service.{key}"):
        GatewayUnderTest(**{key: value})
