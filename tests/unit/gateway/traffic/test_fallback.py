"""What the answer is when a service fails, and who stands in for it."""

import asyncio

import pytest

from chassis.core.errors import DeadlineOver, Overloaded, TimedOut, Unavailable
from gateway.routing.exchange import GatewayResponse
from gateway.routing.request_view import RequestView

from ..shop import (
    FRESH,
    SentOnce,
    Shop,
    entry,
    failing,
)


def test_another_service_stands_in_when_one_is_away() -> None:
    shop = Shop(entry("a", "StripPrefix=1", "CircuitBreaker=mine, lb://b"))
    shop.says = lambda exchange: (
        GatewayResponse(200, FRESH, b"instead")
        if exchange.target.service == "b"
        else failing(Unavailable("away"))(exchange)
    )

    response = shop.got()

    assert (response.body, response.source) == (b"instead", "fallback")
    assert [
        (exchange.target.service, exchange.path, exchange.breaker) for exchange in shop.exchanges
    ] == [
        ("a", "/x", "mine"),
        ("b", "/x", "b"),
    ]
    shop.says = lambda _: GatewayResponse(200, [], b"back")
    assert shop.got().body == b"back"


def test_a_forward_goes_by_another_route_with_its_own_filters() -> None:
    shop = Shop(
        entry("a", "CircuitBreaker=mine, forward:/b/{what}", predicates=["Path=/a/{what}"]),
        entry("b", "StripPrefix=1", "SetStatus=203", "AddResponseHeader=X-Instead, {what}"),
    )
    shop.says = lambda exchange: (
        GatewayResponse(200, [], b"instead")
        if exchange.route.id == "b"
        else failing(Unavailable("away"))(exchange)
    )

    response = shop.got()

    assert (response.status, response.body) == (203, b"instead")
    assert shop.exchanges[1].path == "/x"


def test_without_anybody_to_stand_in_the_first_failure_is_told() -> None:
    for route in (
        entry("a", "CircuitBreaker=mine, forward:/nowhere"),
        entry("a", "CircuitBreaker=mine, forward:/a/y"),
        entry("a", "CircuitBreaker=mine"),
        entry("a"),
    ):
        shop = Shop(route)
        shop.says = failing(TimedOut("slow"))
        with pytest.raises(TimedOut, match="slow"):
            shop.got()


def test_a_status_may_be_a_failure_too() -> None:
    args = {"name": "mine", "fallbackUri": "lb://b", "statusCodes": [500, "BAD_GATEWAY"]}
    route = entry("a") | {"filters": [{"name": "CircuitBreaker", "args": args}]}
    shop = Shop(route)
    shop.says = lambda exchange: GatewayResponse(
        502 if exchange.target.service == "a" else 200, [], b""
    )

    assert shop.got().status == 200


@pytest.mark.parametrize("error", [DeadlineOver("over"), Overloaded("full")])
def test_nobody_stands_in_for_what_is_not_the_services_fault(error: Exception) -> None:
    shop = Shop(entry("a", "CircuitBreaker=mine, lb://b"))
    shop.says = failing(error)

    with pytest.raises(type(error)):
        shop.got()
    assert len(shop.exchanges) == 1


def test_what_was_sent_and_is_gone_is_sent_to_nobody_else() -> None:
    shop = Shop(entry("a", "CircuitBreaker=mine, lb://b"))
    shop.says = failing(Unavailable("away"))
    view = RequestView("POST", "/a/x")

    exchange = shop.exchange(view)
    exchange.body = SentOnce()

    async def answer() -> GatewayResponse:
        return await shop.answer(exchange)

    with pytest.raises(Unavailable):
        asyncio.run(answer())
    assert len(shop.exchanges) == 1


def test_a_change_of_the_protocol_has_no_other_status() -> None:
    shop = Shop(entry("a", "SetStatus=203"))
    shop.says = lambda _: GatewayResponse(101, [], None, stream=object())

    assert shop.got(Upgrade="websocket").status == 101
