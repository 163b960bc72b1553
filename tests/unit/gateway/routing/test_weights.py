"""Weighted routes: each gets its share, who sticks stays, and a route that fails is left."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from multidict import CIMultiDict

from gateway.routing import route_definitions, target, weights
from gateway.routing.request_view import RequestView
from gateway.routing.route import Route
from gateway.routing.table import RouteTable
from gateway.traffic.canary_rollback import Canaries

from ..shop import ManualClock

MEMBERS = some.dictionaries(
    some.sampled_from("abcd"), some.integers(0, 50), min_size=1, max_size=4
).map(lambda chosen: list(chosen.items()))


def group(first: int, second: int, more: dict[str, Any] | None = None) -> tuple[Route, ...]:
    return route_definitions.parse(
        [
            {
                "id": "stable",
                "uri": "lb://x?version=",
                "predicates": ["Path=/x/**", f"Weight=g, {first}"],
            },
            {
                "id": "canary",
                "uri": "lb://x?version=2",
                "predicates": [
                    "Path=/x/**",
                    {"name": "Weight", "args": {"group": "g", "weight": second, **(more or {})}},
                ],
            },
        ]
    )


@given(MEMBERS, some.integers(0, 2**32))
def test_by_lot_each_gets_its_share(members: list[tuple[str, int]], seed: int) -> None:
    lots = random.Random(seed)
    chosen = Counter(weights.by_random_draw(members, lots.random()) for _ in range(2000))

    total = sum(weight for _, weight in members)
    for name, weight in members:
        assert abs(chosen[name] / 2000 - (weight / total if total else 0)) < 0.07


@given(MEMBERS)
def test_by_key_each_gets_its_share(members: list[tuple[str, int]]) -> None:
    chosen = Counter(weights.by_key(members, f"user-{i}") for i in range(2000))

    total = sum(weight for _, weight in members)
    for name, weight in members:
        assert abs(chosen[name] / 2000 - (weight / total if total else 0)) < 0.07


@given(MEMBERS, some.text(), some.integers(1, 50))
def test_when_a_weight_grows_a_user_only_moves_towards_it(
    members: list[tuple[str, int]], user: str, more: int
) -> None:
    (name, weight), *others = members

    before = weights.by_key(members, user)
    after = weights.by_key([(name, weight + more), *others], user)

    assert after in (before, name)


@given(MEMBERS, some.text())
def test_a_user_is_found_where_it_was_whatever_the_order(
    members: list[tuple[str, int]], user: str
) -> None:
    assert weights.by_key(members, user) == weights.by_key(members[::-1], user)


def test_the_last_hair_of_the_lot_falls_on_somebody() -> None:
    assert weights.by_random_draw([("a", 1), ("b", 0)], 1.0) == "a"
    assert weights.by_random_draw([("a", 0)], 0.5) is None


@pytest.mark.parametrize(
    ("sticky", "one", "other"),
    [
        ("user", RequestView("GET", "/x", user="1"), RequestView("GET", "/x", user="2")),
        ("address", RequestView("GET", "/x", remote="::1"), RequestView("GET", "/x", remote="::2")),
        (
            "header:X-Who",
            RequestView("GET", "/x", headers=CIMultiDict({"X-Who": "1"})),
            RequestView("GET", "/x", headers=CIMultiDict({"X-Who": "2"})),
        ),
        (
            "cookie:who",
            RequestView("GET", "/x", headers=CIMultiDict({"Cookie": "who=1"})),
            RequestView("GET", "/x", headers=CIMultiDict({"Cookie": "who=2"})),
        ),
    ],
)
def test_a_group_sticks_by_what_it_is_told(
    sticky: str, one: RequestView, other: RequestView
) -> None:
    table = RouteTable(group(50, 50, {"sticky": sticky}))

    chosen = [{getattr(table.find(view), "id", None) for _ in range(50)} for view in (one, other)]

    assert [len(ids) for ids in chosen] == [1, 1]


def test_who_has_nothing_to_stick_by_goes_by_lot() -> None:
    table = RouteTable(group(50, 50, {"sticky": "user"}))

    chosen = {getattr(table.find(RequestView("GET", "/x")), "id", None) for _ in range(100)}

    assert chosen == {"stable", "canary"}


def test_one_lot_is_drawn_for_a_request_and_not_for_each_route() -> None:
    lots = iter([0.99])
    table = RouteTable(group(90, 10), random_draw=lambda: next(lots))

    chosen = table.find(RequestView("GET", "/x"))

    assert chosen
    assert chosen.id == "canary"


@pytest.mark.parametrize(
    ("uri", "metadata", "taken"),
    [
        ("lb://x", {"version": "2"}, True),
        ("lb://x?version=2", {"version": "2", "pid": "1"}, True),
        ("lb://x?version=2", {}, False),
        ("lb://x?version=", {}, True),
        ("lb://x?version=", {"version": "2"}, False),
    ],
)
def test_a_version_is_told_by_the_metadata(uri: str, metadata: dict[str, str], taken: bool) -> None:
    assert target.parse(uri).takes(metadata) == taken


def test_a_version_has_a_breaker_of_its_own() -> None:
    assert target.parse("lb://x?version=2").name == "x@2"
    assert target.parse("lb://x?version=").name == "x"
    assert target.parse("http://[::1]:8080").name == "::1"


RELAPSE = {"maxErrorShare": 0.2, "minCalls": 10, "window": "10s"}


def watched(first: int = 90, second: int = 10) -> tuple[Canaries, ManualClock, tuple[Route, ...]]:
    clock = ManualClock()
    canaries, chosen = Canaries(clock), group(first, second, RELAPSE)
    canaries.follow(chosen)
    return canaries, clock, chosen


def tell(canaries: Canaries, route: Route, good: int, bad: int) -> None:
    for failed in [False] * good + [True] * bad:
        canaries.record(route, failed)


def test_a_route_that_fails_too_often_loses_its_weight_and_the_table_knows() -> None:
    canaries, _, (stable, canary) = watched()

    tell(canaries, canary, good=8, bad=3)

    assert (canaries.weigh(stable), canaries.weigh(canary)) == (90, 0)
    assert canaries.described(canary)["weight"] == {
        "group": "g",
        "configured": 10,
        "current": 0,
        "calls": 11,
        "failures": 3,
        "relapsed": True,
    }
    table = RouteTable((stable, canary), canaries.weigh)
    assert {getattr(table.find(RequestView("GET", "/x")), "id", None) for _ in range(50)} == {
        "stable"
    }


def test_its_share_of_errors_may_be_reached_but_not_passed() -> None:
    canaries, _, (_, canary) = watched()

    tell(canaries, canary, good=8, bad=2)

    assert canaries.weigh(canary) == 10


def test_few_calls_say_nothing() -> None:
    canaries, _, (_, canary) = watched()

    tell(canaries, canary, good=0, bad=9)

    assert canaries.weigh(canary) == 10


def test_what_is_longer_ago_than_the_window_is_forgotten() -> None:
    canaries, clock, (_, canary) = watched()

    tell(canaries, canary, good=0, bad=9)
    clock.now += 11
    tell(canaries, canary, good=9, bad=1)

    assert canaries.weigh(canary) == 10


def test_the_last_one_of_a_group_keeps_its_weight() -> None:
    canaries, _, (_, canary) = watched(first=0)

    tell(canaries, canary, good=0, bad=50)

    assert canaries.weigh(canary) == 10


def test_a_change_elsewhere_does_not_bring_a_weight_back_but_a_new_weight_does() -> None:
    canaries, _, (_, canary) = watched()
    tell(canaries, canary, good=0, bad=10)

    canaries.follow(group(80, 10, RELAPSE))
    assert canaries.weigh(canary) == 0

    anew = group(80, 20, RELAPSE)
    canaries.follow(anew)
    assert canaries.weigh(anew[1]) == 20


def test_a_route_without_a_share_is_not_watched() -> None:
    canaries, _, (stable, _) = watched()

    tell(canaries, stable, good=0, bad=100)

    assert canaries.weigh(stable) == 90
