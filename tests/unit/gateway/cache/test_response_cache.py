"""What is kept: fresh for as long as it says, renewed, and there when its service is not."""

import pytest

from chassis.core.errors import TimedOut, Unavailable
from gateway.routing.exchange import GatewayResponse

from ..shop import (
    FRESH,
    Shop,
    entry,
    failing,
)


def test_what_says_how_long_it_is_fresh_is_asked_for_once_in_that_time() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: GatewayResponse(200, FRESH, b"body")

    first, second = shop.got(), shop.got()
    shop.clock.now += 4
    third = shop.got()

    assert [response.body for response in (first, second, third)] == [b"body"] * 3
    assert ("Age", "4") in third.headers
    assert [response.source for response in (first, second, third)] == [
        "service",
        "cached",
        "cached",
    ]
    assert len(shop.exchanges) == 1
    assert shop.got(If_None_Match='"1"').status == 304


def test_what_is_stale_is_asked_about_and_a_304_makes_it_fresh_again() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: GatewayResponse(200, FRESH, b"body")
    shop.got()
    shop.clock.now += 6
    shop.says = lambda _: GatewayResponse(304, [("ETag", '"1"')], b"")

    again = shop.got()

    assert (again.status, again.body) == (200, b"body")
    assert shop.exchanges[1].conditions == {"If-None-Match": '"1"'}
    assert shop.got().source == "cached"
    assert len(shop.exchanges) == 2


@pytest.mark.parametrize("more", [[], [("Last-Modified", "today")]])
def test_a_304_that_means_the_clients_own_copy_does_not_renew_ours(
    more: list[tuple[str, str]],
) -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: GatewayResponse(200, [("Cache-Control", "max-age=5"), *more], b"ours")
    shop.got()
    shop.clock.now += 6
    shop.says = lambda _: GatewayResponse(304, [("ETag", '"theirs"')], b"")

    assert shop.got(If_None_Match='"theirs"').body == b""
    shop.says = lambda _: GatewayResponse(200, [], b"new")
    assert shop.got().body == b"new"


def test_a_change_at_the_same_address_is_seen_at_once() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: GatewayResponse(200, FRESH, b"body")
    shop.got()
    shop.got("/a/x", "POST")
    shop.got()

    assert len(shop.exchanges) == 3


def test_the_cache_may_be_switched_off() -> None:
    shop = Shop(entry("a"), **{"fusebox.gateway.cache.enabled": False})
    shop.says = lambda _: GatewayResponse(200, FRESH, b"body")
    shop.got()
    shop.got()

    assert len(shop.exchanges) == 2


def test_a_long_answer_is_passed_on_and_not_kept() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: GatewayResponse(200, FRESH, None, stream=object())

    assert shop.got().stream is not None
    assert shop.got().stream is not None
    assert len(shop.exchanges) == 2


@pytest.mark.parametrize("error", [Unavailable("away"), TimedOut("slow")])
def test_a_kept_answer_stands_in_for_a_service_that_is_away(error: Exception) -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: GatewayResponse(200, FRESH, b"body")
    shop.got()
    shop.clock.now += 30
    shop.says = failing(error)

    response = shop.got()

    assert (response.status, response.body, response.source) == (200, b"body", "stale")
    assert ("Age", "30") in response.headers
    assert ("Warning", '110 - "Response is Stale"') in response.headers
    shop.clock.now += 60
    with pytest.raises(type(error)):
        shop.got()


def test_a_kept_answer_stands_in_for_a_503_as_well() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: GatewayResponse(200, FRESH, b"body")
    shop.got()
    shop.clock.now += 30
    dropped: list[int] = []
    shop.says = lambda _: GatewayResponse(503, [], b"", drop=lambda: dropped.append(1))

    assert shop.got().source == "stale"
    assert dropped == [1]


def test_the_answer_is_given_as_the_filters_want_it_whether_kept_or_not() -> None:
    shop = Shop(entry("a", "SetStatus=203", "RemoveResponseHeader=X", "AddResponseHeader=Y, z"))
    shop.says = lambda _: GatewayResponse(200, FRESH, b"body")

    for _ in range(2):
        response = shop.got()
        assert response.status == 203
        assert ("Y", "z") in response.headers
        assert ("X", "y") not in response.headers
    assert len(shop.exchanges) == 1
