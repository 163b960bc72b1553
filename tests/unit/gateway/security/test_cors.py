"""Requests of pages from elsewhere: who gets which headers, and who is refused."""

from typing import Any

import pytest
from multidict import CIMultiDict

from chassis.core.errors import Forbidden
from gateway.routing import route_definitions
from gateway.routing.request_view import RequestView
from gateway.security import cors
from gateway.security.cors import CorsConfiguration, CorsDecision

ORIGIN = "https://page.example"


def decided(
    configuration: dict[str, Any], method: str = "GET", origin: str = ORIGIN, **headers: str
) -> CorsDecision:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    view = RequestView(
        method, "/a/x", headers=CIMultiDict({"Origin": origin, **given}), host="shop.test:8000"
    )
    by_path = {"/a/**": CorsConfiguration.model_validate(configuration)}
    decision = cors.rules((), by_path, False).decide(view, has_route=True)
    assert decision
    return decision


def preflight(configuration: dict[str, Any], asked: str, **headers: str) -> CorsDecision:
    return decided(configuration, "OPTIONS", Access_Control_Request_Method=asked, **headers)


@pytest.mark.parametrize(
    ("configuration", "origin", "allowed"),
    [
        ({"allowedOrigins": "*"}, ORIGIN, "*"),
        ({"allowed-origins": [ORIGIN]}, ORIGIN, ORIGIN),
        ({"allowed-origins": f"https://a.b, {ORIGIN.upper()}/"}, ORIGIN, ORIGIN),
        ({"allowed-origins": "https://a.b"}, ORIGIN, None),
        ({"allowed-origins": ORIGIN}, ORIGIN + ":8443", None),
        ({}, ORIGIN, None),
        ({"allowedOriginPatterns": "https://*.example"}, ORIGIN, ORIGIN),
        ({"allowedOriginPatterns": "https://*.example"}, "https://example", None),
        ({"allowedOriginPatterns": "https://*.a:[80,81]"}, "https://x.a:81", "https://x.a:81"),
        ({"allowedOriginPatterns": "https://*.a:[80,81]"}, "https://x.a:82", None),
        ({"allowedOriginPatterns": "https://*.a:[*]"}, "https://x.a:82", "https://x.a:82"),
        ({"allowedOriginPatterns": "*", "allowCredentials": True}, ORIGIN, ORIGIN),
        ({"allowedOrigins": "https://x.a"}, "null", None),
    ],
)
def test_an_origin_is_allowed_or_refused(
    configuration: dict[str, Any], origin: str, allowed: str | None
) -> None:
    decision = decided(configuration, origin=origin)

    assert decision.headers.get("Access-Control-Allow-Origin") == allowed
    if allowed is None:
        with pytest.raises(Forbidden):
            decision.check()
    else:
        decision.check()


@pytest.mark.parametrize("origin", ["http://shop.test:8000", "https://SHOP.test:8000"])
def test_a_page_of_the_shop_itself_asks_as_ever(origin: str) -> None:
    decision = decided({}, origin=origin)

    assert decision == CorsDecision({})
    decision.check()


@pytest.mark.parametrize(
    ("methods", "asked", "allowed"),
    [
        (None, "HEAD", "GET,HEAD"),
        (["POST"], "POST", "POST"),
        ("*", "PUT", "PUT"),
        ("GET", "PUT", ""),
    ],
)
def test_a_preflight_says_which_methods_there_are(methods: Any, asked: str, allowed: str) -> None:
    given = {} if methods is None else {"allowedMethods": methods}
    decision = preflight({"allowedOrigins": "*", **given}, asked)

    assert decision.is_preflight
    assert decision.headers.get("Access-Control-Allow-Methods", "") == allowed
    assert bool(decision.refusal) == (not allowed)


@pytest.mark.parametrize(
    ("headers", "asked", "allowed"),
    [
        ("*", "X-A, x-b", "X-A, x-b"),
        (["X-A"], "x-a, x-b", "x-a"),
        (["X-A"], "x-b", None),
        ([], "", ""),
        ([], "x-b", None),
    ],
)
def test_a_preflight_says_which_headers_may_be_sent(
    headers: Any, asked: str, allowed: str | None
) -> None:
    decision = preflight(
        {"allowedOrigins": "*", "allowedHeaders": headers},
        "GET",
        Access_Control_Request_Headers=asked,
    )

    assert bool(decision.refusal) == (allowed is None)
    assert decision.headers.get("Access-Control-Allow-Headers", "") == (allowed or "")


def test_all_else_is_said_where_it_belongs() -> None:
    whole = {
        "allowedOrigins": [ORIGIN],
        "exposedHeaders": ["X-Trace-Id", "X-A"],
        "allowCredentials": "true",
        "maxAge": "30m",
        "allowPrivateNetwork": True,
    }

    usual = decided(whole).headers
    asked = preflight(whole, "GET", Access_Control_Request_Private_Network="true").headers

    assert usual == {
        "Access-Control-Allow-Origin": ORIGIN,
        "Access-Control-Expose-Headers": "X-Trace-Id, X-A",
        "Access-Control-Allow-Credentials": "true",
    }
    assert asked["Access-Control-Max-Age"] == "1800"
    assert asked["Access-Control-Allow-Private-Network"] == "true"


def test_credentials_for_everybody_are_refused_in_the_configuration() -> None:
    with pytest.raises(ValueError, match="allowed-origins: with allow-credentials it cannot be"):
        CorsConfiguration.model_validate({"allowedOrigins": "*", "allowCredentials": True})


def test_a_routes_own_configuration_goes_before_the_one_for_all() -> None:
    entry = {"id": "a", "uri": "lb://a", "predicates": ["Path=/a/**", "Method=GET"]}
    own = {"metadata": {"cors": {"allowedOrigins": ["https://own"], "allowedMethods": "*"}}}
    routes = route_definitions.parse([{**entry, **own}])
    for_all = {"/**": CorsConfiguration.model_validate({"allowedOrigins": "*"})}
    rules = cors.rules(routes, for_all, False)

    def allowed(path: str, has_route: bool = True) -> str | None:
        headers = CIMultiDict({"Origin": "https://own"})
        decision = rules.decide(RequestView("GET", path, headers=headers, host="s"), has_route)
        return decision.headers.get("Access-Control-Allow-Origin") if decision else None

    assert allowed("/a/x") == "https://own"
    assert allowed("/b/x") == "*"
    assert allowed("/b/x", has_route=False) is None


@pytest.mark.parametrize("path", ["/a/closed%2Fx", "/a/closed%3Bx/y", "/a%2Fclosed/x"])
def test_a_path_that_could_be_one_of_another_configuration_is_closed(path: str) -> None:
    by_path = {
        "/a/closed/**": CorsConfiguration.model_validate({}),
        "/**": CorsConfiguration.model_validate({"allowed-origins": "*"}),
    }
    view = RequestView("GET", path, headers=CIMultiDict({"Origin": ORIGIN}), host="shop")
    decision = cors.rules((), by_path, True).decide(view, has_route=True)

    assert decision
    with pytest.raises(Forbidden):
        decision.check()
