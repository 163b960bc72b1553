"""Services without a route of their own are found by their names, and some by nobody."""

from typing import Any

import pytest

from chassis.core.live import Live
from gateway.routing.request_view import RequestView
from gateway.rules import GatewayRules
from gateway.settings import GatewaySettings

OWN = {"id": "own", "uri": "lb://elsewhere", "predicates": ["Path=/orders/**"]}


class GatewayUnderTest:
    def __init__(self, enabled: bool = True) -> None:
        self.services = ["orders", "foreign", "discovery", "not a name/at all"]
        gateway: dict[str, Any] = {"routes": [OWN], "discovery": {"locator": {"enabled": enabled}}}
        settings = GatewaySettings.model_validate({"spring": {"cloud": {"gateway": gateway}}})
        self.rules = GatewayRules(Live(settings), services=lambda: self.services)

    def goes(self, path: str) -> str | None:
        """Where a request is sent, and as what."""
        view = RequestView("GET", path)
        route = self.rules.find(view)
        return f"{route.target.uri}{route.inner_path(view)}" if route else None


@pytest.mark.parametrize(
    ("path", "goes"),
    [
        ("/foreign", "lb://foreign/"),
        ("/foreign/a/b%2Fc", "lb://foreign/a/b%2Fc"),
        ("/orders/1", "lb://elsewhere/orders/1"),
        ("/discovery/eureka/apps", None),
        ("/unknown/x", None),
        ("/not a name/at all", None),
        ("/", None),
    ],
)
def test_a_service_is_found_by_its_name_unless_it_is_hidden_or_has_a_route(
    path: str, goes: str | None
) -> None:
    assert GatewayUnderTest().goes(path) == goes


def test_who_has_left_is_not_found_any_more() -> None:
    gateway = GatewayUnderTest()
    assert gateway.goes("/foreign/x")

    gateway.services.remove("foreign")
    assert gateway.goes("/foreign/x") is None


def test_the_page_shows_who_is_open() -> None:
    assert [described["route_id"] for described in GatewayUnderTest().rules.described()] == [
        "own",
        "discovery:foreign",
        "discovery:orders",
    ]


def test_without_a_word_only_the_configured_routes_are_open() -> None:
    gateway = GatewayUnderTest(enabled=False)

    assert gateway.goes("/foreign/x") is None
    assert [described["route_id"] for described in gateway.rules.described()] == ["own"]


def test_located_routes_have_the_default_filters_and_time_outs() -> None:
    gateway = {
        "discovery": {"locator": {"enabled": True}},
        "default-filters": ["PrefixPath=/api", "AddResponseHeader=X-A, 1"],
        "httpclient": {"response-timeout": 500},
    }
    settings = GatewaySettings.model_validate({"spring": {"cloud": {"gateway": gateway}}})
    view = RequestView("GET", "/foreign/x")

    route = GatewayRules(Live(settings), services=lambda: {"foreign"}).find(view)

    assert route
    assert route.inner_path(view) == "/foreign/x"
    assert route.timeouts
    assert route.timeouts.response == 0.5
    assert list(route.response_headers(view, [])) == [("X-A", "1")]
