"""A share of the requests goes to a shadow as well, at nobody's cost."""

import asyncio

from chassis.core.errors import Unavailable
from gateway.routing.exchange import Exchange, GatewayResponse
from gateway.routing.request_view import RequestView
from gateway.traffic.mirror import MOST_UNDER_WAY

from ..shop import (
    SentOnce,
    Shop,
    entry,
    failing,
    settled,
)


def test_a_share_is_sent_to_a_shadow_whose_troubles_are_its_own() -> None:
    async def run() -> GatewayResponse:
        response = await shop.get()
        await settled()
        await shop.mirror.close()
        return response

    shop = Shop(entry("a", "StripPrefix=1", "Shadow=lb://b, 0.2"))
    shop.says = lambda exchange: (
        GatewayResponse(200, [], b"hi")
        if exchange.target.service == "a"
        else failing(Unavailable("away"))(exchange)
    )

    assert asyncio.run(run()).body == b"hi"
    assert [(exchange.target.service, exchange.path) for exchange in shop.exchanges] == [
        ("a", "/x"),
        ("b", "/x"),
    ]
    shop.change(entry("a", "Shadow=lb://b, 0.1"))
    asyncio.run(run())
    assert len(shop.exchanges) == 3


def test_a_body_that_goes_only_once_goes_to_no_shadow() -> None:
    async def ask() -> None:
        view = RequestView("GET", "/a/x")
        exchange = shop.exchange(view)
        exchange.body = SentOnce()
        await shop.answer(exchange)
        await settled()

    shop = Shop(entry("a", "Shadow=lb://b, 1"))
    asyncio.run(ask())

    assert [exchange.target.service for exchange in shop.exchanges] == ["a"]


def test_a_slow_shadow_gets_no_more_than_it_can_hold() -> None:
    async def run() -> None:
        async def never(_: Exchange) -> GatewayResponse:
            await asyncio.Event().wait()
            raise AssertionError

        shop.says = never
        route = shop.route(RequestView("GET", "/a/x"))
        assert route.mirror
        exchange = shop.by(route, RequestView("GET", "/a/x"))
        for _ in range(MOST_UNDER_WAY + 3):
            shop.mirror.consider(route.mirror, exchange)
        assert (shop.mirror.sent, shop.mirror.dropped) == (MOST_UNDER_WAY, 3)
        await shop.mirror.close()

    shop = Shop(entry("a", "Shadow=lb://b, 1"))
    asyncio.run(run())
