"""Several versions of a service: weighed, named by their instances, and shadowed."""

import asyncio
import time

from aiohttp import web

from ..conftest import Shop, until
from ..routes import configure, route, saying
from ..test_outages import Rude
from ..test_refusals import check


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
        breaker.name for breaker in shop.process.breakers.all()
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
