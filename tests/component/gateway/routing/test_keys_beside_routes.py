"""What stands beside the routes, before a real gateway: default filters, time-outs, CORS."""

import asyncio
import time

import pytest
from aiohttp import web

from chassis.config.client import ConfigurationError

from ..conftest import Shop
from ..routes import configure, route, saying
from ..test_refusals import check

AT = "spring.cloud.gateway"
PAGE = {"Origin": "https://page.example"}


def test_default_filters_are_applied_to_every_route(shop: Shop) -> None:
    shop.upstream()
    shop.upstream(service="catalog-service")
    configure(
        shop,
        route("order-service"),
        route("catalog-service"),
        **{f"{AT}.default-filters[0]": "AddRequestHeader=X-Default, 1"},
    )

    for service in ("order-service", "catalog-service"):
        document = shop.call(f"/{service}/x").json()
        assert ["X-Default", "1"] in document["headers"]
        assert document["path"] == "/x"


def test_routes_under_the_new_prefix_are_in_force(shop: Shop) -> None:
    shop.upstream()
    new = f"{AT}.server.webflux.routes[0]"

    shop.source[f"{new}.id"] = "new"
    shop.source[f"{new}.uri"] = "lb://order-service"
    shop.source[f"{new}.predicates[0]"] = "Path=/new/{id:\\d+}"
    shop.source[f"{new}.filters[0]"] = "SetPath=/{id}"
    shop.configuration.refresh()

    assert shop.call("/new/42").json()["path"] == "/42"
    assert shop.call("/new/x").status_code == 404
    assert shop.call("/order-service/x").json()["path"] == "/x"


def test_an_unknown_key_is_refused_and_the_old_routes_stay(shop: Shop) -> None:
    shop.upstream()
    shop.source[f"{AT}.default-filter[0]"] = "AddRequestHeader=X-Default, 1"

    with pytest.raises(ConfigurationError, match=r"default-filter: is unknown \(did you mean"):
        shop.configuration.refresh()

    assert shop.call("/order-service/x").ok
    text = f"{AT}.default-filter: is unknown (did you mean {AT}.default-filters?)"
    health = shop.call("/actuator/health")
    assert health.status_code == 503
    assert text in health.text
    del shop.source[f"{AT}.default-filter[0]"]
    shop.configuration.refresh()
    assert text not in shop.call("/actuator/health").text


def test_a_page_from_elsewhere_is_told_what_it_may_read_even_of_errors(shop: Shop) -> None:
    shop.upstream(saying("hi", Access_Control_Allow_Origin="*", Vary="Accept"))
    rules = f"{AT}.globalcors.cors-configurations.[/**]"
    configure(
        shop,
        route("order-service", predicates=["Path=/order-service/**", "Method=GET"]),
        route("catalog-service"),
        **{
            f"{rules}.allowedOrigins[0]": "https://page.example",
            f"{rules}.allowed-methods": "*",
            f"{AT}.globalcors.add-to-simple-url-handler-mapping": True,
        },
    )

    usual = shop.call("/order-service/x", headers=PAGE)
    failed = shop.call("/catalog-service/x", headers=PAGE)
    refused = shop.call("/order-service/x", headers={"Origin": "https://evil.example"})
    preflight = shop.call(
        "/order-service/x", "OPTIONS", headers={**PAGE, "Access-Control-Request-Method": "GET"}
    )

    assert usual.text == "hi"
    assert usual.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert usual.headers["Vary"].startswith("Accept, Origin, ")
    check(failed, 503, "service-unavailable")
    assert failed.headers["Access-Control-Allow-Origin"] == "https://page.example"
    check(refused, 403, "forbidden")
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert (preflight.status_code, preflight.content) == (200, b"")
    assert preflight.headers["Access-Control-Allow-Methods"] == "GET"


def test_without_a_configuration_a_service_answers_preflights_itself(shop: Shop) -> None:
    shop.upstream(saying("mine", Access_Control_Allow_Origin="*"))

    answer = shop.call("/order-service/x", "OPTIONS", headers=PAGE)

    assert (answer.text, answer.headers["Access-Control-Allow-Origin"]) == ("mine", "*")


def test_a_routes_response_timeout_is_its_deadline(shop: Shop) -> None:
    async def slow(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        await asyncio.sleep(5)
        return web.Response()

    shop.upstream(slow)
    configure(shop, route("order-service", **{"metadata.response-timeout": 200}))

    began = time.monotonic()
    answer = shop.call("/order-service/x")

    check(answer, 504, answer.json()["code"])
    assert time.monotonic() - began < 0.9


def test_a_retry_with_backoff_waits_before_it_asks_again(shop: Shop) -> None:
    times: list[float] = []

    async def failing_twice(_: web.BaseRequest) -> web.StreamResponse:
        times.append(time.monotonic())
        return web.Response(status=503 if len(times) < 3 else 200)

    shop.upstream(failing_twice)
    configure(shop, route("order-service", "Retry=3, , GET, 50ms, 80ms"))

    assert shop.call("/order-service/x").status_code in (200, 503)
    assert len(times) >= 2
    assert times[1] - times[0] >= 0.045


def test_a_pause_that_the_deadline_does_not_leave_is_not_begun(shop: Shop) -> None:
    upstream = shop.upstream(saying("no", 503))
    configure(shop, route("order-service", "Retry=3, , GET, 30s"))

    assert shop.call("/order-service/x").text == "no"
    assert len(upstream.seen) == 1


def test_a_redirect_asks_nobody(shop: Shop) -> None:
    upstream = shop.upstream()
    redirect = "RedirectTo=302, https://new.example/x, true"
    configure(shop, route("order-service", redirect, "AddResponseHeader=X-A, 1", uri="no://op"))

    answer = shop.call("/order-service/x?a=1")

    assert (answer.status_code, answer.headers["Location"]) == (302, "https://new.example/x?a=1")
    assert answer.headers["X-A"] == "1"
    assert not upstream.seen


def test_a_header_that_is_too_long_for_a_route_is_refused(shop: Shop) -> None:
    shop.upstream()
    configure(shop, route("order-service", "RequestHeaderSize=100B"))

    assert shop.call("/order-service/x", headers={"X-A": "1" * 97}).ok
    check(shop.call("/order-service/x", headers={"X-A": "1" * 98}), 431, "headers-too-large")


def test_the_host_that_the_service_sees_and_its_query(shop: Shop) -> None:
    shop.upstream()
    configure(
        shop,
        route(
            "order-service",
            "SetRequestHostHeader={sub}.internal",
            "AddRequestParameter=shop, {sub}",
            predicates=["Path=/order-service/**", "Host={sub}.shop.test"],
        ),
    )

    document = shop.call("/order-service/x?a=1", headers={"Host": "berlin.shop.test:8000"}).json()

    assert ["Host", "berlin.internal"] in document["headers"]
    assert document["path"] == "/x?a=1&shop=berlin"
    assert shop.call("/order-service/x").status_code == 404
