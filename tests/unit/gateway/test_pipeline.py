"""From a request to its answer: kept, shared by those who wait, asked for, or somebody else's."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from multidict import CIMultiDict

from chassis.errors import DeadlineOver, Forbidden, InstanceLost, Overloaded, TimedOut, Unavailable
from chassis.settings import nested
from gateway import pipeline as pipelines
from gateway.errands import Errand, Reply
from gateway.limiting import OverRate
from gateway.pipeline import Pipeline
from gateway.policy import Policy
from gateway.routes import Route
from gateway.seen import Seen
from gateway.settings import GatewaySettings
from gateway.shadowing import MOST_UNDER_WAY, Mirror

FRESH = [("Cache-Control", "max-age=5"), ("ETag", '"1"'), ("X", "y")]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def entry(name: str, *filters: str, **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "uri": f"lb://{name}",
        "predicates": [f"Path=/{name}/**"],
        "filters": list(filters),
        **more,
    }


class Shop:
    """The rules with a service that says what it is told to; each errand is remembered."""

    def __init__(self, *routes: dict[str, Any], **flat: Any) -> None:
        self.clock = Clock()
        self.settings = self._settings(routes, flat)
        self.policy = Policy(lambda: self.settings, self.clock)
        self.mirror = Mirror(lambda: 0.1)
        self.pipeline = Pipeline(self.policy, self.mirror)
        self.errands: list[Errand] = []
        self.says: Callable[[Errand], Awaitable[Reply] | Reply] = lambda _: Reply(200, [], b"hi")

    @staticmethod
    def _settings(routes: tuple[dict[str, Any], ...], flat: dict[str, Any]) -> GatewaySettings:
        tree = nested({"spring.cloud.gateway.routes": list(routes), **flat})
        return GatewaySettings.model_validate(tree)

    def change(self, *routes: dict[str, Any], **flat: Any) -> None:
        self.settings = self._settings(routes, flat)

    async def ask(self, errand: Errand) -> Reply:
        self.errands.append(errand)
        said = self.says(errand)
        return said if isinstance(said, Reply) else await said

    def route(self, seen: Seen) -> Route:
        found = self.policy.find(seen)
        assert found
        return found

    def errand(self, seen: Seen) -> Errand:
        return Errand.of(self.route(seen), seen)

    async def get(self, path: str = "/a/x", method: str = "GET", **headers: str) -> Reply:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        seen = Seen(method, path, headers=CIMultiDict(names))
        return await self.pipeline.answer(self.errand(seen), self.ask)

    def got(self, *given: Any, **more: str) -> Reply:
        return asyncio.run(self.get(*given, **more))


def failing(error: Exception) -> Callable[[Errand], Reply]:
    def fail(_: Errand) -> Reply:
        raise error

    return fail


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_what_says_how_long_it_is_fresh_is_asked_for_once_in_that_time() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: Reply(200, FRESH, b"body")

    first, second = shop.got(), shop.got()
    shop.clock.now += 4
    third = shop.got()

    assert [each.body for each in (first, second, third)] == [b"body"] * 3
    assert ("Age", "4") in third.headers
    assert [each.source for each in (first, second, third)] == ["service", "kept", "kept"]
    assert len(shop.errands) == 1
    assert shop.got(If_None_Match='"1"').status == 304


def test_what_is_stale_is_asked_about_and_a_304_makes_it_fresh_again() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: Reply(200, FRESH, b"body")
    shop.got()
    shop.clock.now += 6
    shop.says = lambda _: Reply(304, [("ETag", '"1"')], b"")

    again = shop.got()

    assert (again.status, again.body) == (200, b"body")
    assert shop.errands[1].more == {"If-None-Match": '"1"'}
    assert shop.got().source == "kept"
    assert len(shop.errands) == 2


@pytest.mark.parametrize("more", [[], [("Last-Modified", "today")]])
def test_a_304_that_means_the_clients_own_copy_does_not_renew_ours(
    more: list[tuple[str, str]],
) -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: Reply(200, [("Cache-Control", "max-age=5"), *more], b"ours")
    shop.got()
    shop.clock.now += 6
    shop.says = lambda _: Reply(304, [("ETag", '"theirs"')], b"")

    assert shop.got(If_None_Match='"theirs"').body == b""
    shop.says = lambda _: Reply(200, [], b"new")
    assert shop.got().body == b"new"


def test_a_change_at_the_same_address_is_seen_at_once() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: Reply(200, FRESH, b"body")
    shop.got()
    shop.got("/a/x", "POST")
    shop.got()

    assert len(shop.errands) == 3


def test_the_cache_may_be_switched_off() -> None:
    shop = Shop(entry("a"), **{"fusebox.gateway.cache.enabled": False})
    shop.says = lambda _: Reply(200, FRESH, b"body")
    shop.got()
    shop.got()

    assert len(shop.errands) == 2


def test_a_long_answer_is_passed_on_and_not_kept() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: Reply(200, FRESH, None, stream=object())

    assert shop.got().stream is not None
    assert shop.got().stream is not None
    assert len(shop.errands) == 2


@pytest.mark.parametrize("error", [Unavailable("away"), TimedOut("slow")])
def test_a_kept_answer_stands_in_for_a_service_that_is_away(error: Exception) -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: Reply(200, FRESH, b"body")
    shop.got()
    shop.clock.now += 30
    shop.says = failing(error)

    found = shop.got()

    assert (found.status, found.body, found.source) == (200, b"body", "stale")
    assert ("Age", "30") in found.headers
    assert ("Warning", '110 - "Response is Stale"') in found.headers
    shop.clock.now += 60
    with pytest.raises(type(error)):
        shop.got()


def test_a_kept_answer_stands_in_for_a_503_as_well() -> None:
    shop = Shop(entry("a"))
    shop.says = lambda _: Reply(200, FRESH, b"body")
    shop.got()
    shop.clock.now += 30
    dropped: list[int] = []
    shop.says = lambda _: Reply(503, [], b"", drop=lambda: dropped.append(1))

    assert shop.got().source == "stale"
    assert dropped == [1]


def test_many_who_want_the_same_are_served_by_one_call() -> None:
    async def run() -> list[Reply]:
        gate = asyncio.Event()

        async def slow(_: Errand) -> Reply:
            await gate.wait()
            return Reply(200, FRESH, b"body")

        shop.says = slow
        tasks = [asyncio.create_task(shop.get()) for _ in range(20)]
        await settled()
        gate.set()
        return await asyncio.gather(*tasks)

    shop = Shop(entry("a"))
    found = asyncio.run(run())

    assert {each.body for each in found} == {b"body"}
    assert len(shop.errands) == 1


def test_when_the_one_who_went_goes_away_another_goes() -> None:
    async def run() -> list[Reply]:
        gate = asyncio.Event()

        async def slow(_: Errand) -> Reply:
            await gate.wait()
            return Reply(200, FRESH, b"body")

        shop.says = slow
        first, *others = [asyncio.create_task(shop.get()) for _ in range(5)]
        await settled()
        first.cancel()
        await settled()
        assert len(shop.errands) == 2
        gate.set()
        return await asyncio.gather(*others)

    shop = Shop(entry("a"))
    found = asyncio.run(run())

    assert [each.body for each in found] == [b"body"] * 4
    assert len(shop.errands) == 2


def test_one_who_waits_may_go_away_without_ending_it_for_the_others() -> None:
    async def run() -> Reply:
        gate = asyncio.Event()

        async def slow(_: Errand) -> Reply:
            await gate.wait()
            return Reply(200, FRESH, b"body")

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
    assert len(shop.errands) == 1


def test_what_is_for_nobody_else_is_asked_for_by_each_and_next_time_without_waiting() -> None:
    async def run(waiting: int) -> None:
        gate = asyncio.Event()

        async def slow(_: Errand) -> Reply:
            await gate.wait()
            return Reply(200, [], b"mine")

        shop.says = slow
        tasks = [asyncio.create_task(shop.get()) for _ in range(5)]
        await settled()
        assert len(shop.errands) == waiting
        gate.set()
        await asyncio.gather(*tasks)

    shop = Shop(entry("a"))
    asyncio.run(run(waiting=1))
    assert len(shop.errands) == 5
    asyncio.run(run(waiting=10))


@pytest.mark.parametrize("header", ["Authorization", "Cache_Control", "If_None_Match"])
def test_who_has_wishes_of_its_own_waits_for_nobody(header: str) -> None:
    async def run() -> None:
        gate = asyncio.Event()

        async def slow(_: Errand) -> Reply:
            await gate.wait()
            return Reply(200, FRESH, b"body")

        shop.says = slow
        tasks = [asyncio.create_task(shop.get(**{header: "x"})) for _ in range(3)]
        await settled()
        assert len(shop.errands) == 3
        gate.set()
        await asyncio.gather(*tasks)

    shop = Shop(entry("a"))
    asyncio.run(run())


@pytest.mark.parametrize(("error", "calls"), [(Unavailable("away"), 1), (DeadlineOver("over"), 3)])
def test_a_failure_is_shared_but_for_a_deadline_which_is_ones_own(
    error: Exception, calls: int
) -> None:
    async def run() -> list[Any]:
        gate = asyncio.Event()

        async def slow(_: Errand) -> Reply:
            await gate.wait()
            raise error

        shop.says = slow
        tasks = [asyncio.create_task(shop.get()) for _ in range(3)]
        await settled()
        gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    shop = Shop(entry("a"))

    assert [type(each) for each in asyncio.run(run())] == [type(error)] * 3
    assert len(shop.errands) == calls


def test_nobody_is_held_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async def never(_: Errand) -> Reply:
            await asyncio.Event().wait()
            raise AssertionError

        shop.says = never
        first = asyncio.create_task(shop.get())
        await settled()
        shop.says = lambda _: Reply(200, [], b"mine")
        assert (await shop.get()).body == b"mine"
        first.cancel()

    monkeypatch.setattr(pipelines, "LONGEST_WAIT", 0.01)
    shop = Shop(entry("a"))
    asyncio.run(run())


def test_another_service_stands_in_when_one_is_away() -> None:
    shop = Shop(entry("a", "StripPrefix=1", "CircuitBreaker=mine, lb://b"))
    shop.says = lambda errand: (
        Reply(200, FRESH, b"instead")
        if errand.target.service == "b"
        else failing(Unavailable("away"))(errand)
    )

    found = shop.got()

    assert (found.body, found.source) == (b"instead", "fallback")
    assert [(each.target.service, each.path, each.breaker) for each in shop.errands] == [
        ("a", "/x", "mine"),
        ("b", "/x", "b"),
    ]
    shop.says = lambda _: Reply(200, [], b"back")
    assert shop.got().body == b"back"


def test_a_forward_goes_by_another_route_with_its_own_filters() -> None:
    shop = Shop(
        entry("a", "CircuitBreaker=mine, forward:/b/{what}", predicates=["Path=/a/{what}"]),
        entry("b", "StripPrefix=1", "SetStatus=203", "AddResponseHeader=X-Instead, {what}"),
    )
    shop.says = lambda errand: (
        Reply(200, [], b"instead")
        if errand.route.id == "b"
        else failing(Unavailable("away"))(errand)
    )

    found = shop.got()

    assert (found.status, found.body) == (203, b"instead")
    assert shop.errands[1].path == "/x"


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
    shop.says = lambda errand: Reply(502 if errand.target.service == "a" else 200, [], b"")

    assert shop.got().status == 200


@pytest.mark.parametrize("error", [DeadlineOver("over"), Overloaded("full")])
def test_nobody_stands_in_for_what_is_not_the_services_fault(error: Exception) -> None:
    shop = Shop(entry("a", "CircuitBreaker=mine, lb://b"))
    shop.says = failing(error)

    with pytest.raises(type(error)):
        shop.got()
    assert len(shop.errands) == 1


def test_what_was_sent_and_is_gone_is_sent_to_nobody_else() -> None:
    shop = Shop(entry("a", "CircuitBreaker=mine, lb://b"))
    shop.says = failing(Unavailable("away"))
    seen = Seen("POST", "/a/x")

    with pytest.raises(Unavailable):
        asyncio.run(shop.pipeline.answer(shop.errand(seen), shop.ask, repeatable=False))
    assert len(shop.errands) == 1


def test_the_answer_is_given_as_the_filters_want_it_whether_kept_or_not() -> None:
    shop = Shop(entry("a", "SetStatus=203", "RemoveResponseHeader=X", "AddResponseHeader=Y, z"))
    shop.says = lambda _: Reply(200, FRESH, b"body")

    for _ in range(2):
        found = shop.got()
        assert found.status == 203
        assert ("Y", "z") in found.headers
        assert ("X", "y") not in found.headers
    assert len(shop.errands) == 1


def test_a_weighted_route_that_fails_is_left_by_itself() -> None:
    weights = {"maxErrorShare": 0.5, "minCalls": 4, "group": "g", "weight": 1000}
    canary = {"name": "Weight", "args": weights}
    shop = Shop(
        entry("a", predicates=["Path=/a/**", "Weight=g, 1"]),
        entry("b", predicates=["Path=/a/**", canary]),
    )
    shop.says = lambda errand: Reply(500 if errand.route.id == "b" else 200, [], b"")

    for _ in range(50):
        shop.got("/a/x", "POST")

    assert shop.got("/a/x", "POST").status == 200
    assert shop.policy.described()[1]["metadata"]["weight"]["current"] == 0


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


@pytest.mark.parametrize("wish", [{"Accept": "text/event-stream"}, {"Upgrade": "websocket"}])
def test_what_may_never_end_is_neither_kept_nor_shared_nor_mirrored(wish: dict[str, str]) -> None:
    async def twice() -> None:
        gate = asyncio.Event()

        async def slow(_: Errand) -> Reply:
            await gate.wait()
            return Reply(200, FRESH, b"own")

        shop.says = slow
        asked = [asyncio.create_task(shop.get(**wish)) for _ in range(2)]
        await settled()
        assert [each.target.service for each in shop.errands] == ["a", "a"]
        gate.set()
        assert {each.source for each in await asyncio.gather(*asked)} == {"service"}

    shop = Shop(entry("a", "Shadow=lb://b, 1"))
    asyncio.run(twice())


def test_a_body_that_goes_only_once_goes_to_no_shadow() -> None:
    async def ask() -> None:
        seen = Seen("GET", "/a/x")
        await shop.pipeline.answer(shop.errand(seen), shop.ask, repeatable=False)
        await settled()

    shop = Shop(entry("a", "Shadow=lb://b, 1"))
    asyncio.run(ask())

    assert [each.target.service for each in shop.errands] == ["a"]


def test_a_change_of_the_protocol_has_no_other_status() -> None:
    shop = Shop(entry("a", "SetStatus=203"))
    shop.says = lambda _: Reply(101, [], None, stream=object())

    assert shop.got(Upgrade="websocket").status == 101


@pytest.mark.parametrize(
    ("error", "relapsed"), [(InstanceLost("one of them"), False), (Unavailable("all"), True)]
)
def test_one_lost_instance_is_no_fault_of_a_canary(error: Exception, relapsed: bool) -> None:
    watched = {"group": "g", "weight": 50, "maxErrorShare": 0.1, "minCalls": 2}
    shop = Shop(
        entry("a", predicates=["Path=/a/**", {"name": "Weight", "args": watched}]),
        entry("b", predicates=["Path=/b/**", "Weight=g, 50"]),
    )
    seen = Seen("POST", "/a/x")
    shop.says = failing(error)

    for _ in range(3):
        with pytest.raises(type(error)):
            asyncio.run(
                shop.pipeline.answer(Errand.of(shop.policy.table.routes[0], seen), shop.ask)
            )

    assert shop.policy.described()[0]["metadata"]["weight"]["relapsed"] == relapsed


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


def test_a_rate_goes_on_counting_over_a_change_that_leaves_it_alone() -> None:
    limited = entry("a", "RequestRateLimiter=1, 2, address")
    shop = Shop(limited)
    seen = Seen("GET", "/a/x", remote="::1")

    first = shop.policy.admit(shop.route(seen), seen)
    shop.change(limited, entry("b"))
    shop.policy.admit(shop.route(seen), seen)
    with pytest.raises(OverRate) as refused:
        shop.policy.admit(shop.route(seen), seen)

    assert first["X-RateLimit-Remaining"] == "1"
    assert (refused.value.code, refused.value.retry_after) == ("rate-limited", 1)
    shop.change(entry("a", "RequestRateLimiter=2, 2, address"))
    assert shop.policy.admit(shop.route(seen), seen)
    assert shop.policy.admit(replace(shop.route(seen), rate=None), seen) == {}


def test_a_rule_blocks_from_the_change_on() -> None:
    shop = Shop(entry("a"))
    seen = Seen("GET", "/a/x")
    shop.policy.check(seen)

    rule = {"id": "no", "predicates": ["Path=/a/**"]}
    shop.change(entry("a"), **{"fusebox.gateway.blocked": [rule]})
    with pytest.raises(Forbidden):
        shop.policy.check(seen)
