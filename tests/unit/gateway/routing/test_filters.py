"""Each filter: what becomes of a path, of headers, and of what it was told."""

import pytest

from gateway.routing import route as routes
from gateway.routing import route_definitions
from gateway.routing.filters import statuses
from gateway.routing.filters.factories import FACTORIES
from gateway.routing.filters.retry import RetryFilter
from gateway.routing.filters.targets import CircuitBreakerFilter, MirrorTarget
from gateway.routing.rate_limit import Rate
from gateway.routing.request_view import RequestView
from gateway.routing.syntax import definitions
from gateway.routing.weights import ClientKey


def route(*texts: str, path: str = "/shop/{kind}/**") -> routes.Route:
    entry = {"id": "r", "uri": "lb://x", "predicates": [f"Path={path}"], "filters": list(texts)}
    return route_definitions.parse([entry])[0]


@pytest.mark.parametrize(
    ("texts", "path", "inner"),
    [
        (["StripPrefix"], "/shop/a/b", "/a/b"),
        (["StripPrefix=2"], "/shop/a/b", "/b"),
        (["StripPrefix=9"], "/shop/a/b", "/"),
        (["PrefixPath=/api"], "/shop/a", "/api/shop/a"),
        (["PrefixPath=/api/{kind}/"], "/shop/a", "/api/a/shop/a"),
        (["StripPrefix=1", "PrefixPath=/api"], "/shop/a", "/api/a"),
        (["PrefixPath=/api", "StripPrefix=1"], "/shop/a", "/shop/a"),
        (["SetPath=/{kind}/{kind}"], "/shop/a%2Fb/c", "/a%2Fb/a%2Fb"),
        (["SetPath=/{other}x"], "/shop/a", "/x"),
        (["RewritePath=/shop/?(?<rest>.*), /$\\{rest}"], "/shop/a/b", "/a/b"),
        (["RewritePath=/shop/?(?<rest>.*), /${rest}"], "/shop/a", "/a"),
        (["RewritePath=/(\\w+)/(\\w+), /$2/$1"], "/shop/a/b", "/a/shop/b"),
        (["RewritePath=/shop, "], "/shop/a", "/a"),
        (["RewritePath=a, \\$"], "/shop/a", "/shop/$"),
        (["RewritePath=^/shop(?=/)|(?<!x)/b, "], "/shop/a/b", "/a"),
        (["RewritePath=/shop/, "], "/shop/a", "/a"),
    ],
)
def test_the_path_that_the_service_sees(texts: list[str], path: str, inner: str) -> None:
    assert route(*texts).inner_path(RequestView("GET", path)) == inner


BERLIN = RequestView("GET", "/shop/berlin")
HEADERS = [("Accept", "*/*"), ("X-A", "1"), ("x-a", "2")]


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Add{}Header=X-A, 3", [*HEADERS, ("X-A", "3")]),
        ("Add{}Header=X-Kind, is {kind}, really", [*HEADERS, ("X-Kind", "is berlin, really")]),
        ("Set{}Header=X-A, 3", [("Accept", "*/*"), ("X-A", "3")]),
        ("Remove{}Header=X-a", [("Accept", "*/*")]),
        ("Remove{}Header=X-B", HEADERS),
    ],
)
def test_headers_are_added_set_and_removed_on_both_ways(
    text: str, left: list[tuple[str, str]]
) -> None:
    to_service, to_client = (
        route(text.replace("{}", "Request")),
        route(text.replace("{}", "Response")),
    )

    assert list(to_service.request_headers(BERLIN, HEADERS)) == left
    assert list(to_service.response_headers(BERLIN, HEADERS)) == HEADERS
    assert list(to_client.response_headers(BERLIN, HEADERS)) == left
    assert list(to_client.request_headers(BERLIN, HEADERS)) == HEADERS


@pytest.mark.parametrize(("text", "status"), [("401", 401), ("NOT_FOUND", 404), ("teapot", None)])
def test_set_status_knows_numbers_and_names(text: str, status: int | None) -> None:
    if status is None:
        with pytest.raises(ValueError, match="'teapot' is not a status"):
            statuses.status(text)
    else:
        assert route(f"SetStatus={text}").status == status


@pytest.mark.parametrize(
    ("text", "limit"), [("5000000", 5_000_000), ("64KB", 65_536), ("5 mb", 5 * 1024**2)]
)
def test_request_size_knows_units(text: str, limit: int) -> None:
    assert route(f"RequestSize={text}").max_body_bytes == limit


def test_a_rate_limit_in_both_forms_and_under_springs_names() -> None:
    args = {
        "redis-rate-limiter": {"replenishRate": 2, "burstCapacity": 4, "requestedTokens": 2},
        "key-resolver": "header:X-Key",
    }
    long = definitions.parse("here", {"name": "RequestRateLimiter", "args": args}, FACTORIES)

    assert long.meaning == Rate(2, 4, 2, ClientKey("header", "X-Key"))
    assert route("RequestRateLimiter=2, 4, address").rate == Rate(2, 4, 1, ClientKey("address"))


def test_a_circuit_breaker_falls_back_to_a_path_or_to_another_service() -> None:
    there = route("CircuitBreaker=b, forward:/instead/{kind}").breaker
    other = route("CircuitBreaker=b, lb://other").breaker

    assert there == CircuitBreakerFilter("b", forward="/instead/{kind}")
    assert other
    assert other.fallback
    assert (other.name, other.fallback.service) == ("b", "other")
    assert route("CircuitBreaker=b").breaker == CircuitBreakerFilter("b")


def test_retry_says_what_is_asked_again() -> None:
    retry = route("Retry=2, BAD_GATEWAY, GET,PUT").retry

    assert retry == RetryFilter(2, frozenset(("GET", "PUT")), retry.statuses)
    assert retry.may(0, "GET")
    assert retry.may(1, "PUT")
    assert not retry.may(2, "GET")
    assert not retry.may(0, "DELETE")
    assert not retry.may(0, "GET", 503)


def test_without_a_retry_what_may_be_repeated_is_repeated_once_when_a_connection_breaks() -> None:
    retry = route().retry

    assert retry.may(0, "DELETE")
    assert not retry.may(1, "GET")
    assert not retry.may(0, "POST")
    assert not retry.may(0, "GET", 502)


def test_a_shadow_takes_its_share_of_what_does_nothing_twice() -> None:
    mirror = route("Shadow=lb://other, 0.25").mirror

    assert isinstance(mirror, MirrorTarget)
    assert mirror.takes("GET", 0.2)
    assert not mirror.takes("GET", 0.25)
    assert not mirror.takes("POST", 0.0)
