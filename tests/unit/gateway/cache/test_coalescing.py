"""One call serves all who wait for the same, and nobody waits who must not."""

import asyncio

import pytest

from chassis.core.errors import DeadlineOver, Unavailable
from gateway.cache import cache_filter
from gateway.routing.exchange import Exchange, GatewayResponse

from ..shop import (
    FRESH,
    Shop,
    entry,
    settled,
)


def test_many_who_want_the_same_are_served_by_one_call() -> None:
    async def run() -> list[GatewayResponse]:
        gate = asyncio.Event()

        async def slow(_: Exchange) -> GatewayResponse:
            await gate.wait()
            return GatewayResponse(200, FRESH, b"body")

        shop.says = slow
        tasks = [asyncio.create_task(shop.get()) for _ in range(20)]
        await settled()
        gate.set()
        return await asyncio.gather(*tasks)

    shop = Shop(entry("a"))
    responses = asyncio.run(run())

    assert {response.body for response in responses} == {b"body"}
    assert len(shop.exchanges) == 1


def test_when_the_one_who_went_goes_away_another_goes() -> None:
    async def run() -> list[GatewayResponse]:
        gate = asyncio.Event()

        async def slow(_: Exchange) -> GatewayResponse:
            await gate.wait()
            return GatewayResponse(200, FRESH, b"body")

        shop.says = slow
        first, *others = [asyncio.create_task(shop.get()) for _ in range(5)]
        await settled()
        first.cancel()
        await settled()
        assert len(shop.exchanges) == 2
        gate.set()
        return await asyncio.gather(*others)

    shop = Shop(entry("a"))
    responses = asyncio.run(run())

    assert [response.body for response in responses] == [b"body"] * 4
    assert len(shop.exchanges) == 2


def test_one_who_waits_may_go_away_without_ending_it_for_the_others() -> None:
    async def run() -> GatewayResponse:
        gate = asyncio.Event()

        async def slow(_: Exchange) -> GatewayResponse:
            await gate.wait()
            return GatewayResponse(200, FRESH, b"body")

        shop.says = slow
        first, second, third = [asyncio.create_task(shop.get()) for _ in range(3)]
        await settled()
        second.cancel()
        await settled()
        gate.set()
        await first
        return await third

    shop = Shop(entry("a"))

    assert asyncio.run(run()).body == b"body"
    assert len(shop.exchanges) == 1


def test_what_is_for_nobody_else_is_asked_for_by_each_and_next_time_without_waiting() -> None:
    async def run(waiting: int) -> None:
        gate = asyncio.Event()

        async def slow(_: Exchange) -> GatewayResponse:
            await gate.wait()
            return GatewayResponse(200, [], b"mine")

        shop.says = slow
        tasks = [asyncio.create_task(shop.get()) for _ in range(5)]
        await settled()
        assert len(shop.exchanges) == waiting
        gate.set()
        await asyncio.gather(*tasks)

    shop = Shop(entry("a"))
    asyncio.run(run(waiting=1))
    assert len(shop.exchanges) == 5
    asyncio.run(run(waiting=10))


@pytest.mark.parametrize("header", ["Authorization", "Cache_Control", "If_None_Match"])
def test_who_has_wishes_of_its_own_waits_for_nobody(header: str) -> None:
    async def run() -> None:
        gate = asyncio.Event()

        async def slow(_: Exchange) -> GatewayResponse:
            await gate.wait()
            return GatewayResponse(200, FRESH, b"body")

        shop.says = slow
        tasks = [asyncio.create_task(shop.get(**{header: "x"})) for _ in range(3)]
        await settled()
        assert len(shop.exchanges) == 3
        gate.set()
        await asyncio.gather(*tasks)

    shop = Shop(entry("a"))
    asyncio.run(run())


@pytest.mark.parametrize(("error", "calls"), [(Unavailable("away"), 1), (DeadlineOver("over"), 3)])
def test_a_failure_is_shared_but_for_a_deadline_which_is_ones_own(
    error: Exception, calls: int
) -> None:
    async def run() -> list[GatewayResponse | BaseException]:
        gate = asyncio.Event()

        async def slow(_: Exchange) -> GatewayResponse:
            await gate.wait()
            raise error

        shop.says = slow
        tasks = [asyncio.create_task(shop.get()) for _ in range(3)]
        await settled()
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    shop = Shop(entry("a"))

    assert [type(outcome) for outcome in asyncio.run(run())] == [type(error)] * 3
    assert len(shop.exchanges) == calls


def test_nobody_is_held_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async def never(_: Exchange) -> GatewayResponse:
            await asyncio.Event().wait()
            raise AssertionError

        shop.says = never
        first = asyncio.create_task(shop.get())
        await settled()
        shop.says = lambda _: GatewayResponse(200, [], b"mine")
        assert (await shop.get()).body == b"mine"
        first.cancel()

    monkeypatch.setattr(cache_filter, "LONGEST_WAIT", 0.01)
    shop = Shop(entry("a"))
    asyncio.run(run())


@pytest.mark.parametrize("wish", [{"Accept": "text/event-stream"}, {"Upgrade": "websocket"}])
def test_what_may_never_end_is_neither_kept_nor_shared_nor_mirrored(wish: dict[str, str]) -> None:
    async def twice() -> None:
        gate = asyncio.Event()

        async def slow(_: Exchange) -> GatewayResponse:
            await gate.wait()
            return GatewayResponse(200, FRESH, b"own")

        shop.says = slow
        asked = [asyncio.create_task(shop.get(**wish)) for _ in range(2)]
        await settled()
        assert [exchange.target.service for exchange in shop.exchanges] == ["a", "a"]
        gate.set()
        assert {response.source for response in await asyncio.gather(*asked)} == {"service"}

    shop = Shop(entry("a", "Shadow=lb://b, 1"))
    asyncio.run(twice())
