"""The keys beside the routes: obeyed, or refused with the nearest one."""

from typing import Any

import pytest
from pydantic import ValidationError

from chassis.config import validation
from chassis.config.properties import to_tree
from gateway.routing.request_view import RequestView
from gateway.routing.route import RouteTimeouts
from gateway.settings import GatewaySection, GatewaySettings

OLD = "spring.cloud.gateway"
NEW = "spring.cloud.gateway.server.webflux"


def section(*routes: str, **flat: Any) -> GatewaySection:
    return read({**keys(*routes), **{f"{OLD}.{key}": value for key, value in flat.items()}})


def keys(*routes: str, at: str = OLD) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for i, name in enumerate(routes):
        flat[f"{at}.routes[{i}].id"] = name
        flat[f"{at}.routes[{i}].uri"] = f"lb://{name}"
        flat[f"{at}.routes[{i}].predicates[0]"] = f"Path=/{name}/**"
        flat[f"{at}.routes[{i}].filters[0]"] = "StripPrefix=1"
    return flat


def read(flat: dict[str, Any]) -> GatewaySection:
    return GatewaySettings.model_validate(to_tree(flat)).spring.cloud.gateway


def refusal(flat: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        read(flat)
    return validation.describe(refused.value, GatewaySettings)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (f"{OLD}.rotues", f"{OLD}.rotues: is unknown (did you mean {OLD}.routes?)"),
        (f"{OLD}.default-filter", f"{OLD}.default-filter: is unknown (did you mean {OLD}.default-"),
        (f"{OLD}.x-forwarded.enabled", f"{OLD}.x-forwarded: is unknown"),
        (f"{OLD}.httpclient.ssl.use-insecure-trust-manager", f"{OLD}.httpclient.ssl: is unknown"),
        (
            f"{OLD}.globalcors.corsConfiguration",
            f"{OLD}.globalcors.corsConfiguration: is unknown (",
        ),
        (
            f"{OLD}.discovery.locator.enable",
            "locator.enable: is unknown (did you mean spring.cloud",
        ),
        (f"{OLD}.mvc.routes", f"{OLD}.mvc: is unknown"),
        (f"{OLD}.server.webmvc.routes", f"{OLD}.server.webmvc: is unknown (known: webflux)"),
        (f"{NEW}.rotues", f"{NEW}.rotues: is unknown (did you mean {NEW}.routes?)"),
        (f"{NEW}.httpclient.pool.type", f"{NEW}.httpclient.pool: is unknown"),
    ],
)
def test_a_key_that_nobody_reads_is_refused_with_the_nearest_one(key: str, said: str) -> None:
    assert said in refusal({**keys("a"), key: "x"})


def test_default_filters_are_those_of_every_route_before_its_own() -> None:
    section_read = section(
        "a",
        "b",
        **{
            "default-filters[0]": "AddResponseHeader=X-Shop, fusebox",
            "default-filters[1]": "PrefixPath=/api",
            "routes[1].filters[1]": "PrefixPath=/own",
        },
    )

    first, second = section_read.routes
    assert first.inner_path(RequestView("GET", "/a/x")) == "/api/x"
    assert second.inner_path(RequestView("GET", "/b/x")) == "/own/api/x"
    assert list(first.response_headers(RequestView("GET", "/a/x"), [])) == [("X-Shop", "fusebox")]
    assert [text[2:12] for text in first.filters] == ["AddRespons", "StripPrefi", "PrefixPath"]


def test_a_routes_own_filter_takes_the_place_of_the_default_of_its_kind() -> None:
    flat = {
        "default-filters[0]": "Retry=5",
        "default-filters[1]": "RequestSize=1KB",
        "routes[0].filters[1]": "Retry=1",
    }
    section_read = read({**keys("a"), **{f"{OLD}.{key}": value for key, value in flat.items()}})

    assert section_read.routes[0].retry.retries == 1
    assert section_read.routes[0].max_body_bytes == 1024


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (["Nothing"], "default-filters: default-filters[0]: 'Nothing' is unknown"),
        (["Retry=1", "Retry=2"], "default-filters[1]: there is another Retry"),
        ("StripPrefix=1", "default-filters: is not a list"),
    ],
)
def test_wrong_default_filters_are_refused(filters: Any, said: str) -> None:
    assert said in refusal({f"{OLD}.default-filters": filters})


def test_what_stands_under_either_prefix_is_in_force() -> None:
    section_read = read(
        {
            **keys("a"),
            **keys("b", at=NEW),
            f"{NEW}.default-filters[0]": "AddRequestHeader=X-A, 1",
            f"{NEW}.discovery.locator.enabled": True,
            f"{OLD}.httpclient.connect-timeout": 500,
            f"{NEW}.httpclient.response-timeout": "3s",
        }
    )

    assert [route.id for route in section_read.routes] == ["a", "b"]
    assert all(route.request_edits for route in section_read.routes)
    assert section_read.has_locator
    assert {route.timeouts for route in section_read.routes} == {RouteTimeouts(0.5, 3.0)}


def test_the_same_route_under_both_prefixes_is_refused() -> None:
    assert "route a: id: there is another" in refusal({**keys("a"), **keys("a", at=NEW)})


def test_a_routes_own_time_outs_come_before_those_for_all() -> None:
    section_read = section(
        "a",
        "b",
        **{
            "httpclient.responseTimeout": "PT2S",
            "routes[0].metadata.response-timeout": 200,
            "routes[0].metadata.connect-timeout": "50",
            "routes[0].metadata.team": "blue",
        },
    )

    assert section_read.routes[0].timeouts == RouteTimeouts(0.05, 0.2)
    assert section_read.routes[0].metadata["team"] == "blue"
    assert section_read.routes[1].timeouts == RouteTimeouts(None, 2.0)


@pytest.mark.parametrize("order", ["5", 5, " 5 ", "+5"])
def test_an_order_may_be_a_text(order: Any) -> None:
    assert section("a", **{"routes[0].order": order}).routes[0].order == 5


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("httpclient.connect-timeout", "soon", "httpclient.connect-timeout: 'soon' is not a"),
        ("httpclient.connect-timeout", 0, "greater than 0"),
        ("routes[0].metadata.response-timeout", -1, "metadata: response-timeout: '-1' is not a"),
        ("globalcors.cors-configurations.[/**].allowed-orgins", "*", "allowed-orgins: is unknown"),
        ("routes[0].metadata.cors.maxAge", "x", "route a: metadata: cors: max-age: 'x' is not"),
        ("routes[0].metadata.cors.orgins", "x", "route a: metadata: cors: orgins: is unknown"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(key: str, value: Any, said: str) -> None:
    assert said in refusal({**keys("a"), f"{OLD}.{key}": value})


@pytest.mark.parametrize(
    "key",
    [
        "cors-configurations.[/a.b/**]",
        "cors-configurations[/a.b/**]",
        "corsConfigurations.[/a.b/**]",
    ],
)
def test_the_paths_of_cors_may_have_dots_and_brackets(key: str) -> None:
    section_read = section("a", **{f"globalcors.{key}.allowedOrigins": "https://x.org"})

    ((pattern, configuration),) = section_read.cors.rules
    assert pattern.whole.fullmatch("/a.b/c")
    assert configuration.allowed_origins == ("https://x.org",)
