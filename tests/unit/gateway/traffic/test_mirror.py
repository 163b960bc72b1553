"""A share of the requests goes to a shadow as well, at nobody's cost."""

import asyncio

from chassis.core.errors import Unavailable
from gateway.routing.exchange import Errand, Reply
from gateway.routing.request_view import Seen
from gateway.traffic.mirror import MOST_UNDER_WAY

from ..shop import (
    Shop,
    entry,
    failing,
    settled,
)


def test_a_share_is_sent_to_a_shadow_whose_troubles_are_its_own() -> None:
    async def run() -> Reply:
        found = await shop.get()
        await settled()
        await shop.mirror.close()
        return found

    shop = Shop(entry("a", "StripPrefix=1", "Shadow=lb://b, 0.2"))
    shop.says = lambda errand: (
        Reply(200, [], b"hi")
        if errand.target.service == "a"
        else failing(Unavailable("away"))(errand)
    )

    assert asyncio.run(run()).body == b"hi"
    assert [(each.target.service, each.path) for each in shop.errands] == [("a", "/x"), ("b", "/x")]
    shop.change(entry("a", "Shadow=lb://b, 0.1"))
    asyncio.run(run())
    assert len(shop.errands) == 3


def test_a_body_that_goes_only_once_goes_to_no_shadow() -> None:
    async def ask() -> None:
        seen = Seen("GET", "/a/x")
        await shop.pipeline.answer(shop.errand(seen), shop.ask, repeatable=False)
        await settled()

    shop = Shop(entry("a", "Shadow=lb://b, 1"))
    asyncio.run(ask())

    assert [each.target.service for each in shop.errands] == ["a"]


def test_a_slow_shadow_gets_no_more_than_it_can_hold() -> None:
    async def run() -> None:
        async def never(_: Errand) -> Reply:
            await asyncio.Event().wait()
            raise AssertionError

        shop.says = never
        route = shop.route(Seen("GET", "/a/x"))
        assert route.shadow
        errand = Errand.of(route, Seen("GET", "/a/x"))
        for _ in range(MOST_UNDER_WAY + 3):
            shop.mirror.consider(route.shadow, errand, shop.ask)
        assert (shop.mirror.sent, shop.mirror.dropped) == (MOST_UNDER_WAY, 3)
        await shop.mirror.close()

    shop = Shop(entry("a", "Shadow=lb://b, 1"))
    asyncio.run(run())
