"""Routes: what they take, what they pass on, and what they say of a wrong configuration."""

from typing import Any

import pytest
from multidict import CIMultiDict
from pydantic import ValidationError

from chassis.config.properties import to_tree
from gateway.routing import route as routes
from gateway.routing import route_definitions
from gateway.routing.request_view import RequestView
from gateway.routing.table import RouteTable
from gateway.settings import GatewaySettings

ORDERS: dict[str, Any] = {
    "id": "order-service",
    "uri": "lb://order-service",
    "predicates": ["Path=/order-service/**"],
    "filters": ["StripPrefix=1"],
}


def one(**changed: Any) -> routes.Route:
    return route_definitions.parse([{**ORDERS, **changed}])[0]


def inner_path(route: routes.Route, path: str) -> str:
    return route.inner_path(RequestView("GET", path))


@pytest.mark.parametrize(
    ("strip", "path", "inner", "prefix"),
    [
        (1, "/order-service/u/orders", "/u/orders", "/order-service"),
        (1, "/order-service/", "/", "/order-service"),
        (1, "/order-service", "/", "/order-service"),
        (1, "/order-service//x", "//x", "/order-service"),
        (1, "/order-service/a%2Fb%20c", "/a%2Fb%20c", "/order-service"),
        (2, "/api/order-service/u", "/u", "/api/order-service"),
        (0, "/order-service/u", "/order-service/u", ""),
    ],
)
def test_strip_prefix_takes_segments_off_and_touches_nothing_else(
    strip: int, path: str, inner: str, prefix: str
) -> None:
    route = one(filters=[f"StripPrefix={strip}"])

    assert (inner_path(route, path), routes.prefix(path, inner)) == (inner, prefix)


def test_a_span_is_named_after_the_template_and_not_the_path() -> None:
    assert one().name_of("GET") == "get /order-service/**"
    assert one().name_of("PROPFIND") == "propfind /order-service/**"


def test_a_route_without_a_path_is_named_after_itself() -> None:
    assert one(predicates=["Host=**.example.org"]).name_of("GET") == "get order-service"


def test_the_first_route_by_order_and_then_by_place_wins() -> None:
    routes = route_definitions.parse(
        [
            {**ORDERS, "id": "late", "order": 1},
            {**ORDERS, "id": "first"},
            {**ORDERS, "id": "second"},
        ]
    )

    assert [route.id for route in routes] == ["first", "second", "late"]
    taken = RouteTable(routes).find(RequestView("GET", "/order-service/x"))
    assert taken is routes[0]


def test_the_long_form_says_the_same_as_the_shortcut() -> None:
    short = one(
        predicates=["Path=/a/{x}, /b/**", "Header=X-A, a{1,2}"],
        filters=["RewritePath=/a/(?<rest>.*), /$\\{rest}", "Retry=2,502,GET,PUT"],
    )
    long = one(
        predicates=[
            {"name": "Path", "args": {"patterns": ["/a/{x}", "/b/**"]}},
            {"name": "Header", "args": {"header": "X-A", "regexp": "a{1,2}"}},
        ],
        filters=[
            {
                "name": "RewritePath",
                "args": {"regexp": "/a/(?<rest>.*)", "replacement": "/$\\{rest}"},
            },
            {"name": "Retry", "args": {"retries": 2, "statuses": 502, "methods": ["GET", "PUT"]}},
        ],
    )

    assert short.retry == long.retry
    assert inner_path(short, "/a/7") == inner_path(long, "/a/7") == "/7"
    for view in (
        RequestView("GET", "/b/c", headers=CIMultiDict({"X-A": "aa"})),
        RequestView("GET", "/b/c"),
    ):
        assert short.takes(view) == long.takes(view)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": ""}, "route 0: id: is missing"),
        ({"uri": "ftp://x"}, "route order-service: uri: 'ftp://x' is not lb://"),
        ({"uri": None}, "route order-service: uri: None is not lb://"),
        ({"uri": "http://x:1/path"}, "uri: 'http://x:1/path' is more than host and port"),
        ({"uri": "http://x:99999"}, "uri: 'http://x:99999': Port out of range"),
        ({"predicates": []}, "route order-service: predicates: at least one"),
        ({"predicates": "Path=/x"}, "route order-service: predicates: is not a list"),
        ({"predicates": [7]}, "route order-service: predicates[0]: is neither a text"),
        ({"predicates": ["Pfad=/x"]}, "predicates[0]: 'Pfad' is unknown (known: Path, Method"),
        ({"predicates": ["Path"]}, "predicates[0]: 'Path': patterns: is missing"),
        (
            {"predicates": ["Path=x"]},
            "route order-service: predicates[0]: 'Path=x': patterns: a path begins",
        ),
        (
            {"predicates": ["Path=/**/x"]},
            "predicates[0]: 'Path=/**/x': patterns: only whole segments",
        ),
        ({"predicates": ["Path=/a,,/b"]}, "patterns: there is nothing between two commas"),
        ({"predicates": ["Path=/{a}/{a}"]}, "patterns: '/{a}/{a}': there is another {a}"),
        ({"predicates": ["Method=get"]}, "methods: 'get' is not a method"),
        ({"predicates": ["Header=X, ("]}, "'Header=X, (': regexp: '(' is not a regular"),
        ({"predicates": ["Query="]}, "'Query=': param: is missing"),
        ({"predicates": ["Host=a b"]}, "patterns: 'a b' is not a host"),
        ({"predicates": ["After=tomorrow"]}, "datetime: 'tomorrow' is not a moment"),
        ({"predicates": ["Before=2026-01-20T17:42:47"]}, "datetime: '2026-01-20T17:42:47' is not"),
        (
            {"predicates": ["Between=2027-01-20T17:42:47Z, 2026-01-20T17:42:47Z"]},
            "datetime2: is not later",
        ),
        ({"predicates": ["RemoteAddr=10.0.0.0/33"]}, "sources: '10.0.0.0/33' does not appear"),
        ({"predicates": ["Weight=g, -1"]}, "weight: '-1' is not a whole number"),
        ({"predicates": ["Weight=g, 1, colour"]}, "sticky: 'colour' is unknown (known: user"),
        ({"predicates": ["Weight=g, 1", "Weight=h, 1"]}, "predicates: only one Weight"),
        (
            {"predicates": [{"name": "Path", "args": {"pattern": "/x"}}]},
            "predicates[0]: 'Path': pattern: is unknown (known: patterns, matchTrailingSlash)",
        ),
        (
            {"predicates": [{"name": "Path", "arg": {}}]},
            "predicates[0]: arg: unknown key (known: name, args)",
        ),
        ({"filters": ["Nothing=3"]}, "filters[0]: 'Nothing' is unknown (known: StripPrefix"),
        (
            {"filters": ["StripPrefix=1", "StripPrefix=one"]},
            "route order-service: filters[1]: 'StripPrefix=one': parts: 'one' is not a whole",
        ),
        ({"filters": ["PrefixPath=x"]}, "prefix: a path begins with /"),
        ({"filters": ["SetPath=/{a}{"]}, "template: '/{a}{': only names"),
        ({"filters": ["RewritePath=(, /"]}, "regexp: '(' is not a regular expression"),
        ({"filters": ["RewritePath=/a, /$1"]}, "replacement: '/$1' does not fit '/a'"),
        ({"filters": ["RewritePath=/a, /$"]}, "replacement: '/$': '$' at the end"),
        ({"filters": ["AddRequestHeader=X A, 1"]}, "name: 'X A' is not the name of a header"),
        ({"filters": ["SetResponseHeader=X"]}, "value: is missing"),
        ({"filters": ["SetResponseHeader=X, a\r\nb"]}, "value: 'a\\r\\nb' cannot stand"),
        ({"filters": ["SetStatus=999"]}, "status: '999' is not a status"),
        ({"filters": ["RequestRateLimiter=0"]}, "replenishRate: '0' is not a whole number"),
        (
            {
                "filters": [
                    {
                        "name": "RequestRateLimiter",
                        "args": {"replenishRate": 1, "requestedTokens": 2},
                    }
                ]
            },
            "requestedTokens: is more than burstCapacity",
        ),
        ({"filters": ["RequestRateLimiter=1,1,me"]}, "key-resolver: 'me' is unknown"),
        ({"filters": ["CircuitBreaker=b, ftp:x"]}, "fallbackUri: 'ftp:x' is not lb://"),
        ({"filters": ["CircuitBreaker=b, forward:x"]}, "fallbackUri: a path begins with /"),
        ({"filters": ["Retry=3,502,POST"]}, "methods: 'POST' must not be done twice"),
        ({"filters": ["RequestSize=5 apples"]}, "maxSize: '5 apples' is not a size"),
        ({"filters": ["Shadow=lb://x, 2"]}, "share: '2' is not between 0 and 1"),
        ({"filters": ["Retry=1", "Retry=2"]}, "filters[1]: there is another Retry"),
        ({"order": "first"}, "route order-service: order: 'first' is not a whole number"),
        ({"order": True}, "route order-service: order: True is not a whole number"),
        ({"metadata": "x"}, "route order-service: metadata: is not a table"),
        (
            {"metadata": {"connect-timeout": "soon"}},
            "route order-service: metadata: connect-timeout: 'soon' is not a duration",
        ),
        (
            {"metdata": {}},
            "route order-service: metdata: unknown key (known: filters, id,",
        ),
    ],
)
def test_a_wrong_route_is_refused_with_its_name_and_key(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="route") as refused:
        one(**changed)

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("uri", "target"),
    [
        ("lb://order-service", "lb://order-service"),
        ("lb:ws://order-service", "lb://order-service"),
        ("ws://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
    ],
)
def test_a_route_leads_to_a_service_or_an_address(uri: str, target: str) -> None:
    assert one(uri=uri).target.uri == target


def test_two_routes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="route order-service: id: there is another"):
        route_definitions.parse([ORDERS, ORDERS])


def test_a_group_that_sticks_by_two_things_is_refused() -> None:
    by_user = {**ORDERS, "predicates": ["Path=/x", "Weight=g, 1, user"]}
    by_cookie = {**ORDERS, "id": "b", "predicates": ["Path=/x", "Weight=g, 1, cookie:c"]}

    with pytest.raises(ValueError, match="route b: predicates: Weight: sticky: another route of g"):
        route_definitions.parse([by_user, by_cookie])


def test_the_settings_are_read_from_the_flat_keys_of_the_config_server() -> None:
    at = "spring.cloud.gateway.routes[0]"
    flat = {
        f"{at}.id": "order-service",
        f"{at}.uri": "lb://ORDER-SERVICE",
        f"{at}.predicates[0]": "Path=/order-service/**",
        f"{at}.predicates[1]": "Method=GET,POST",
        f"{at}.predicates[2]": "Weight=orders, 9",
        f"{at}.filters[0]": "StripPrefix=1",
        f"{at}.filters[1].name": "RequestRateLimiter",
        f"{at}.filters[1].args.redis-rate-limiter.replenishRate": 10,
        f"{at}.filters[1].args.redis-rate-limiter.burstCapacity": 20,
        "fusebox.gateway.max-body-bytes": 10,
        "fusebox.breaker.fail-max": 3,
    }

    settings = GatewaySettings.model_validate(to_tree(flat))

    (route,) = settings.spring.cloud.gateway.routes
    assert route.rate
    assert (route.rate.replenish, route.rate.burst) == (10, 20)
    assert route.described() == {
        "route_id": "order-service",
        "predicate": (
            "((Paths: [/order-service/**], match trailing slash: true && Methods: [GET, POST])"
            " && Weight: orders 9)"
        ),
        "filters": [
            "[[StripPrefix parts = 1], order = 1]",
            "[[RequestRateLimiter replenishRate = 10, burstCapacity = 20], order = 2]",
        ],
        "uri": "lb://order-service",
        "order": 0,
    }
    assert settings.fusebox.gateway.max_body_bytes == 10
    assert settings.fusebox.breaker.fail_max == 3


def test_the_settings_say_which_route_is_wrong() -> None:
    given = {"spring": {"cloud": {"gateway": {"routes": [{**ORDERS, "uri": "nowhere"}]}}}}

    with pytest.raises(ValidationError, match="route order-service: uri"):
        GatewaySettings.model_validate(given)
