"""Routes: what they take, what they pass on, and what they say of a wrong configuration."""

from typing import Any

import pytest
from pydantic import ValidationError

from chassis.settings import nested
from gateway import routes
from gateway.settings import GatewaySettings

ORDERS = {
    "id": "order-service",
    "uri": "lb://order-service",
    "predicates": ["Path=/order-service/**"],
    "filters": ["StripPrefix=1"],
}


def one(**changed: Any) -> routes.Route:
    return routes.parse([{**ORDERS, **changed}])[0]


@pytest.mark.parametrize(
    ("pattern", "path", "taken"),
    [
        ("/order-service/**", "/order-service/u/orders", True),
        ("/order-service/**", "/order-service/", True),
        ("/order-service/**", "/order-service", True),
        ("/order-service/**", "/order-services", False),
        ("/order-service/**", "/order-service%2Forders", False),
        ("/order-service/**", "//order-service/x", False),
        ("/order-service/**", "/ORDER-SERVICE/x", False),
        ("/a/*/c", "/a/b/c", True),
        ("/a/*/c", "/a/b/d/c", False),
        ("/a/{name}/**", "/a/b/c/d", True),
        ("/a.b", "/aXb", False),
        ("/**", "/anything", True),
    ],
)
def test_a_path_predicate_takes_what_springs_does(pattern: str, path: str, taken: bool) -> None:
    route = one(predicates=[f"Path={pattern}"])

    assert (routes.find([route], path) is route) == taken


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

    assert (route.inner_path(path), route.prefix(path)) == (inner, prefix)


def test_a_span_is_named_after_the_template_and_not_the_path() -> None:
    assert one().name_of("GET") == "get /order-service/**"
    assert one().name_of("PROPFIND") == "propfind /order-service/**"


def test_the_first_route_by_order_and_then_by_place_wins() -> None:
    found = routes.parse(
        [
            {**ORDERS, "id": "late", "order": 1},
            {**ORDERS, "id": "first"},
            {**ORDERS, "id": "second"},
        ]
    )

    assert [route.id for route in found] == ["first", "second", "late"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": ""}, "route 0: id: is missing"),
        ({"uri": "http://x"}, "route order-service: uri: 'http://x' is not lb://"),
        ({"uri": None}, "route order-service: uri: None is not lb://"),
        ({"predicates": []}, "route order-service: predicates: exactly one Path"),
        ({"predicates": "Path=/x"}, "route order-service: predicates: is not a list"),
        (
            {"predicates": ["Pfad=/x"]},
            "route order-service: predicates[0]: 'Pfad' is unknown (known: Path)",
        ),
        ({"predicates": ["Path=x"]}, "route order-service: predicates[0]: 'Path=x': a path begins"),
        ({"predicates": ["Path=/**/x"]}, "predicates[0]: 'Path=/**/x': only whole segments"),
        (
            {"filters": ["StripPrefix=1", "Retry=3"]},
            "route order-service: filters[1]: 'Retry' is unknown (known: StripPrefix)",
        ),
        ({"filters": ["StripPrefix=one"]}, "filters[0]: 'StripPrefix=one': the number"),
        ({"order": "1"}, "route order-service: order: '1' is not a whole number"),
        ({"metadata": {}}, "route order-service: metadata: unknown key"),
    ],
)
def test_a_wrong_route_is_refused_with_its_name_and_key(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match="route") as refused:
        one(**changed)

    assert said in str(refused.value)


def test_two_routes_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="route order-service: id: there is another"):
        routes.parse([ORDERS, ORDERS])


def test_the_settings_are_read_from_the_flat_keys_of_the_config_server() -> None:
    at = "spring.cloud.gateway.routes[0]"
    flat = {
        f"{at}.id": "order-service",
        f"{at}.uri": "lb://ORDER-SERVICE",
        f"{at}.predicates[0]": "Path=/order-service/**",
        f"{at}.filters[0]": "StripPrefix=1",
        "fusebox.gateway.max-body-bytes": 10,
        "fusebox.breaker.fail-max": 3,
    }

    settings = GatewaySettings.model_validate(nested(flat))

    (route,) = settings.spring.cloud.gateway.routes
    assert route.described() == {
        "route_id": "order-service",
        "predicate": "Path=/order-service/**",
        "filters": ["StripPrefix=1"],
        "uri": "lb://order-service",
        "order": 0,
    }
    assert settings.fusebox.gateway.max_body_bytes == 10
    assert settings.fusebox.breaker.fail_max == 3


def test_the_settings_say_which_route_is_wrong() -> None:
    given = {"spring": {"cloud": {"gateway": {"routes": [{**ORDERS, "uri": "nowhere"}]}}}}

    with pytest.raises(ValidationError, match="route order-service: uri"):
        GatewaySettings.model_validate(given)
