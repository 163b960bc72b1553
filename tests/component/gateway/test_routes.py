"""A real gateway with routes that do more than lead to a service, before real upstreams."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from aiohttp import web

from chassis.configuration import ConfigurationError

from .conftest import Answer, Shop, until
from .test_outages import Rude, refusing
from .test_refusals import check


def configure(shop: Shop, *routes: dict[str, Any], **more: Any) -> None:
    """These routes instead of the usual ones, in the flat keys of config-server."""
    shop.source.update(more)
    for key in [each for each in shop.source if each.startswith("spring.cloud.gateway.routes")]:
        del shop.source[key]
    for i, route in enumerate(routes):
        for key, value in route.items():
            values = value if isinstance(value, list) else [value]
            for j, each in enumerate(values):
                at = f"spring.cloud.gateway.routes[{i}].{key}"
                shop.source[f"{at}[{j}]" if isinstance(value, list) else at] = each
    shop.configuration.refresh()


def route(name: str, *filters: str, **more: Any) -> dict[str, Any]:
    usual = {
        "id": name,
        "uri": f"lb://{name}",
        "predicates": [f"Path=/{name}/**"],
        "filters": ["StripPrefix=1", *filters],
    }
    return {**usual, **more}


def saying(text: str, status: int = 200, **headers: str) -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=given)

    return answer


def test_a_path_is_rewritten_and_headers_are_edited_on_both_ways(shop: Shop) -> None:
    shop.upstream()
    configure(
        shop,
        route(
            "order-service",
            predicates=["Path=/shop/{user}/**"],
            filters=[
                "RewritePath=/shop/(?<user>[^/]+)/(?<rest>.*), /$\\{rest}/of/$\\{user}",
                "AddRequestHeader=X-User, {user}",
                "RemoveRequestHeader=X-Secret",
                "SetResponseHeader=Server, shop",
                "SetStatus=203",
            ],
        ),
    )

    answer = shop.call("/shop/u%2F1/orders?a=1", headers={"X-Secret": "1"})

    assert (answer.status_code, answer.headers["Server"]) == (203, "shop")
    document = answer.json()
    names = dict(document["headers"])
    assert document["path"] == "/orders/of/u%2F1?a=1"
    assert names["X-User"] == "u%2F1"
    assert "X-Secret" not in names


def test_an_address_outside_of_the_registry_is_a_target_too(shop: Shop) -> None:
    upstream = shop.upstream(service="nobody-asks-for-this")
    configure(shop, route("order-service", uri=f"http://127.0.0.1:{upstream.port}"))

    assert shop.call("/order-service/x").json()["path"] == "/x"
    shop.servers.run(upstream.stop())
    for _ in range(4):
        refused = shop.call("/order-service/x")
        check(refused, 503, refused.json()["code"])
    assert refused.json()["code"] == "circuit-open"


def test_over_its_rate_a_client_is_told_so_and_when_to_come_back(shop: Shop) -> None:
    upstream = shop.upstream()
    configure(shop, route("order-service", "RequestRateLimiter=1, 2, header:X-Key"))

    mine = [shop.call("/order-service/x", headers={"X-Key": "me"}) for _ in range(3)]
    other = shop.call("/order-service/x", headers={"X-Key": "you"})

    assert [each.status_code for each in mine] == [200, 200, 429]
    check(mine[2], 429, "rate-limited")
    assert int(mine[2].headers["Retry-After"]) >= 1
    assert [each.headers["X-RateLimit-Remaining"] for each in mine] == ["1", "0", "0"]
    assert mine[2].headers["X-RateLimit-Burst-Capacity"] == "2"
    assert other.ok
    assert len(upstream.seen) == 3


def test_what_a_rule_blocks_is_refused_and_the_actuator_stays_open(shop: Shop) -> None:
    upstream = shop.upstream()
    shop.tokens.refresh()
    configure(
        shop,
        route("order-service"),
        **{
            "fusebox.gateway.blocked[0].id": "everybody",
            "fusebox.gateway.blocked[0].predicates[0]": "RemoteAddr=127.0.0.0/8",
        },
    )

    check(shop.call("/order-service/x"), 403, "blocked")
    assert upstream.seen == []
    assert shop.call("/actuator/health/liveness").ok


def test_a_route_for_everything_does_not_hide_the_actuator(shop: Shop) -> None:
    shop.upstream()
    configure(shop, route("order-service", predicates=["Path=/**"]))

    assert shop.call("/x").json()["path"] == "/"
    assert shop.call("/actuator/health/liveness").json()["status"] == "UP"


def test_another_service_answers_for_one_that_is_away(shop: Shop) -> None:
    shop.upstream(saying("instead"), "catalog-service")
    configure(shop, route("order-service", "CircuitBreaker=orders, lb://catalog-service"))

    with refusing() as port:
        shop.knows(port)
        answer = shop.call("/order-service/x", "POST", data=b"x")

    assert answer.text == "instead"
    assert shop.process.breakers.known("orders")


def test_a_status_is_asked_again_within_the_budget_and_the_service_knows(shop: Shop) -> None:
    async def second_time(request: web.BaseRequest) -> web.StreamResponse:
        status = 200 if "X-Request-Attempt" in request.headers else 502
        return web.Response(status=status)

    upstream = shop.upstream(second_time)
    configure(shop, route("order-service", "Retry=3, BAD_GATEWAY, GET"))

    assert shop.call("/order-service/x").status_code == 200
    # One was saved up at the start, and a call adds a tenth of one.
    assert shop.call("/order-service/y").status_code == 502
    assert len(upstream.seen) == 3


def test_a_route_may_take_larger_bodies_than_others(shop: Shop) -> None:
    shop.upstream()
    configure(shop, route("order-service", "RequestSize=5B"), route("catalog-service"))

    assert shop.call("/order-service/x", "POST", data=b"12345").ok
    check(shop.call("/order-service/x", "POST", data=b"123456"), 413, "body-too-large")


def test_what_may_be_kept_is_and_its_trace_is_each_requests_own(shop: Shop) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="public, max-age=60", ETag='"1"'))

    first, second = shop.call("/order-service/x"), shop.call("/order-service/x")
    third = shop.call("/order-service/x", headers={"If-None-Match": '"1"'})

    assert [each.text for each in (first, second)] == ["list", "list"]
    assert second.headers["Age"] == "0"
    assert (third.status_code, third.text, third.headers["ETag"]) == (304, "", '"1"')
    assert len({each.headers["X-Trace-Id"] for each in (first, second, third)}) == 3
    assert len(upstream.seen) == 1


def test_what_is_kept_is_given_to_nobody_with_a_bad_token(shop: Shop) -> None:
    shop.upstream(saying("list", Cache_Control="public, max-age=60"))
    shop.tokens.refresh()
    assert shop.call("/order-service/x").ok

    refused = shop.call("/order-service/x", headers={"Authorization": "Bearer nonsense"})

    check(refused, 401, "unauthenticated")


def test_a_kept_answer_stands_in_when_nobody_answers(shop: Shop) -> None:
    upstream = shop.upstream(saying("list", Cache_Control="max-age=0, stale-if-error=60", ETag="1"))
    assert shop.call("/order-service/x").text == "list"
    shop.servers.run(upstream.stop())

    answer = shop.call("/order-service/x")

    assert (answer.status_code, answer.text) == (200, "list")
    assert answer.headers["Warning"].startswith("110 ")
    assert int(answer.headers["Age"]) >= 0


def test_one_request_goes_upstream_when_many_ask_for_the_same(shop: Shop) -> None:
    gate = asyncio.Event()

    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        await gate.wait()
        return web.Response(text="list", headers={"Cache-Control": "max-age=60"})

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(slow)
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(requests.get, f"{shop.url}/order-service/x") for _ in range(10)]
        until(lambda: shop.gateway._under_way == 10)
        shop.servers.call(gate.set)
        found = [each.result() for each in asked]

    assert [each.text for each in found] == ["list"] * 10
    assert len(upstream.seen) == 1


def test_a_client_that_goes_away_takes_nobody_with_it(shop: Shop) -> None:
    gate = asyncio.Event()

    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        await gate.wait()
        return web.Response(text="list", headers={"Cache-Control": "max-age=60"})

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(slow)
    with ThreadPoolExecutor(3) as pool, shop.raw() as impatient:
        impatient.sendall(
            b"GET /order-service/x HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % shop.port
        )
        until(lambda: upstream.seen)
        asked = [pool.submit(requests.get, f"{shop.url}/order-service/x") for _ in range(3)]
        until(lambda: shop.gateway._under_way == 4)
        impatient.close()
        until(lambda: len(upstream.seen) == 2)
        shop.servers.call(gate.set)
        assert [each.result().text for each in asked] == ["list"] * 3


def test_a_version_that_fails_is_left_by_itself_and_the_page_says_so(shop: Shop) -> None:
    shop.upstream(saying("old"), "order-service")
    shop.upstream(saying("new", status=500), "catalog-service")
    at = "spring.cloud.gateway.routes[1].predicates[1]"
    configure(
        shop,
        route("stable", uri="lb://order-service", predicates=["Path=/x/**", "Weight=g, 50"]),
        route("canary", uri="lb://catalog-service", predicates=["Path=/x/**"]),
    )
    shop.source.update(
        {
            f"{at}.name": "Weight",
            f"{at}.args.group": "g",
            f"{at}.args.weight": 50,
            f"{at}.args.maxErrorShare": 0.1,
            f"{at}.args.minCalls": 5,
        }
    )
    shop.configuration.refresh()
    shop.tokens.refresh()

    seen = [shop.call("/x/y", "POST").status_code for _ in range(60)]

    assert 5 <= seen.count(500) < 30
    assert seen[-10:] == [200] * 10
    page = shop.call("/actuator/gateway/routes/canary", headers=shop.token("admin")).json()
    assert page["metadata"]["weight"]["relapsed"]
    assert page["metadata"]["weight"]["current"] == 0


def test_a_version_is_reached_by_what_its_instances_say_of_themselves(shop: Shop) -> None:
    shop.upstream(saying("old"))
    shop.upstream(saying("new"), version="2")
    configure(
        shop,
        route("one", uri="lb://order-service?version=", predicates=["Path=/one/**"]),
        route("two", uri="lb://order-service?version=2", predicates=["Path=/two/**"]),
        route("three", uri="lb://order-service?version=3", predicates=["Path=/three/**"]),
    )

    assert {shop.call("/one/x", "POST").text for _ in range(10)} == {"old"}
    assert {shop.call("/two/x", "POST").text for _ in range(10)} == {"new"}
    check(shop.call("/three/x"), 503, "service-unavailable")
    assert {"order-service", "order-service@2"} <= {
        each.name for each in shop.process.breakers.all()
    }


def test_the_last_instance_of_a_version_opens_the_breaker_of_that_version_only(shop: Shop) -> None:
    shop.upstream(saying("old"))
    with Rude() as rude:
        shop.knows(rude.port, version="2")
        configure(
            shop,
            route("old", uri="lb://order-service?version="),
            route("new", uri="lb://order-service?version=2"),
        )

        codes = [shop.call("/new/x", "POST").json()["code"] for _ in range(4)]

    assert codes == ["service-unavailable"] * 3 + ["circuit-open"]
    assert shop.call("/old/x", "POST").text == "old"


def test_a_filter_names_another_host_and_a_status_without_a_body(shop: Shop) -> None:
    seen: list[str | None] = []

    async def long(request: web.BaseRequest) -> web.StreamResponse:
        seen.append(",".join(request.headers.getall("Host")))
        return web.Response(body=b"x" * 300_000)

    shop.upstream(long)
    configure(
        shop, route("order-service", "SetRequestHeader=Host, shop.example", "SetStatus=NO_CONTENT")
    )

    answers = [shop.call("/order-service/x") for _ in range(2)]

    assert [(each.status_code, each.content) for each in answers] == [(204, b"")] * 2
    assert seen == ["shop.example"] * 2


def test_a_shadow_gets_its_share_and_nobody_waits_for_it(shop: Shop) -> None:
    async def never(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(10)
        return web.Response()

    shop.upstream(saying("real"))
    shadow = shop.upstream(never, "catalog-service")
    configure(shop, route("order-service", "Shadow=lb://catalog-service, 1"))

    began = time.monotonic()
    assert shop.call("/order-service/x").text == "real"

    assert time.monotonic() - began < 5
    until(lambda: shadow.seen)


def test_a_wrong_route_is_refused_and_the_old_ones_stay(shop: Shop) -> None:
    shop.upstream()
    old = dict(shop.source)
    shop.source["spring.cloud.gateway.routes[0].filters[1]"] = "Retry=1,500,POST"

    with pytest.raises(ConfigurationError) as refused:
        shop.configuration.refresh()

    said = "route order-service: filters[1]: 'Retry=1,500,POST': methods: 'POST'"
    assert said in str(refused.value)
    assert shop.call("/order-service/x").ok
    shop.source = old
