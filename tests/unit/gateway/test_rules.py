"""The rules over a change of them: weights that relapse, rates, what is blocked."""

import asyncio
from dataclasses import replace

import pytest

from chassis.core.errors import Forbidden, InstanceLost, Unavailable
from gateway.routing.exchange import GatewayResponse
from gateway.routing.request_view import RequestView

from .shop import Shop, entry, failing


def test_a_weighted_route_that_fails_is_left_by_itself() -> None:
    weights = {"maxErrorShare": 0.5, "minCalls": 4, "group": "g", "weight": 1000}
    canary = {"name": "Weight", "args": weights}
    shop = Shop(
        entry("a", predicates=["Path=/a/**", "Weight=g, 1"]),
        entry("b", predicates=["Path=/a/**", canary]),
    )
    shop.says = lambda exchange: GatewayResponse(500 if exchange.route.id == "b" else 200, [], b"")

    for _ in range(50):
        shop.got("/a/x", "POST")

    assert shop.got("/a/x", "POST").status == 200
    assert shop.rules.described()[1]["metadata"]["weight"]["current"] == 0


@pytest.mark.parametrize(
    ("error", "rolled_back"), [(InstanceLost("one of them"), False), (Unavailable("all"), True)]
)
def test_one_lost_instance_is_no_fault_of_a_canary(error: Exception, rolled_back: bool) -> None:
    watched = {"group": "g", "weight": 50, "maxErrorShare": 0.1, "minCalls": 2}
    shop = Shop(
        entry("a", predicates=["Path=/a/**", {"name": "Weight", "args": watched}]),
        entry("b", predicates=["Path=/b/**", "Weight=g, 50"]),
    )
    view = RequestView("POST", "/a/x")
    shop.says = failing(error)

    async def answer() -> GatewayResponse:
        return await shop.answer(shop.by(shop.rules.table.routes[0], view))

    for _ in range(3):
        with pytest.raises(type(error)):
            asyncio.run(answer())

    assert shop.rules.described()[0]["metadata"]["weight"]["relapsed"] == rolled_back


def test_a_rate_goes_on_counting_over_a_change_that_leaves_it_alone() -> None:
    limited = entry("a", "RequestRateLimiter=1, 2, address")
    shop = Shop(limited)
    view = RequestView("GET", "/a/x", remote="::1")

    first = shop.rules.take(shop.route(view), view)
    shop.change(limited, entry("b"))
    shop.rules.take(shop.route(view), view)
    third = shop.rules.take(shop.route(view), view)

    assert first
    assert third
    assert (first.remaining, third.allowed, third.retry_after) == (1, False, 1)
    shop.change(entry("a", "RequestRateLimiter=2, 2, address"))
    changed = shop.rules.take(shop.route(view), view)
    assert changed
    assert changed.allowed
    assert shop.rules.take(replace(shop.route(view), rate=None), view) is None


def test_a_rule_blocks_from_the_change_on() -> None:
    shop = Shop(entry("a"))
    view = RequestView("GET", "/a/x")
    shop.rules.check(view)

    rule = {"id": "no", "predicates": ["Path=/a/**"]}
    shop.change(entry("a"), **{"fusebox.gateway.blocked": [rule]})
    with pytest.raises(Forbidden):
        shop.rules.check(view)
