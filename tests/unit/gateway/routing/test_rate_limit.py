"""Token buckets: so many steadily, so many at once, for each client its own."""

from hypothesis import given
from hypothesis import strategies as some
from multidict import CIMultiDict

from gateway.routing import rate_limit
from gateway.routing.rate_limit import Rate, TokenBuckets
from gateway.routing.request_view import RequestView
from gateway.routing.weights import ClientKey

from ..shop import ManualClock


def test_a_burst_passes_and_then_as_many_as_come_in() -> None:
    clock = ManualClock()
    buckets = TokenBuckets(Rate(2, 4), clock)

    assert [buckets.take("a").allowed for _ in range(5)] == [True] * 4 + [False]
    clock.now += 0.5
    assert [buckets.take("a").allowed for _ in range(2)] == [True, False]
    assert buckets.take("b").allowed


def test_the_client_is_told_what_is_left_and_when_to_come_back() -> None:
    clock = ManualClock()
    buckets = TokenBuckets(Rate(1, 10, cost=5), clock)

    first, second, third = (buckets.take("a") for _ in range(3))

    assert [(decision.allowed, decision.remaining) for decision in (first, second, third)] == [
        (True, 1),
        (True, 0),
        (False, 0),
    ]
    assert [decision.retry_after for decision in (first, second, third)] == [0, 5, 5]
    assert third.headers == {
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Replenish-Rate": "1",
        "X-RateLimit-Burst-Capacity": "10",
        "X-RateLimit-Requested-Tokens": "5",
    }
    clock.now += third.retry_after
    assert buckets.take("a").allowed


@given(
    some.integers(1, 20),
    some.integers(1, 20),
    some.lists(some.floats(0, 2, allow_nan=False), max_size=80),
)
def test_never_more_pass_than_the_burst_and_what_came_in_since(
    replenish: int, burst: int, pauses: list[float]
) -> None:
    clock = ManualClock()
    buckets = TokenBuckets(Rate(replenish, burst), clock)
    passed = 0
    for pause in pauses:
        clock.now += pause
        passed += buckets.take("a").allowed

    assert passed <= burst + replenish * (clock.now - 50.0) + 1e-6


def test_the_buckets_are_bounded() -> None:
    buckets = TokenBuckets(Rate(1, 1), ManualClock())
    buckets.take("first")
    for i in range(rate_limit.MOST_BUCKETS):
        buckets.take(str(i))

    assert len(buckets._buckets) == rate_limit.MOST_BUCKETS
    assert buckets.take("first").allowed


def test_an_answer_names_each_policy_and_what_is_left_of_it() -> None:
    clock = ManualClock()
    client = TokenBuckets(Rate(10, 300), clock, "client")
    odd = TokenBuckets(Rate(0.5, 4, cost=2), clock, 'a "b" \\ ü')

    for _ in range(2):
        shown = rate_limit.fields([client.take("a"), odd.take("a")])
    clock.now += 1
    later = rate_limit.fields([client.take("a"), odd.take("a")])

    assert shown == {
        "RateLimit-Policy": '"client";q=300;w=30, "a \\"b\\" \\\\ ?";q=2;w=8',
        "RateLimit": '"client";r=298;t=1, "a \\"b\\" \\\\ ?";r=0;t=4',
    }
    assert later["RateLimit"].endswith(";r=0;t=3")


def test_the_networks_of_ipv6_are_clients_and_not_their_addresses() -> None:
    rate = Rate(1, 1, key=ClientKey("address"))
    addresses = ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:1::1", "::ffff:9.9.9.9", "9.9.9.9")

    keys = [rate.key_of(RequestView("GET", "/", remote=address)) for address in addresses]

    assert keys[0] == keys[1] != keys[2]
    assert keys[3] == keys[4]


def test_who_has_no_key_is_told_by_its_address_and_never_taken_for_another() -> None:
    rate = Rate(1, 1, key=ClientKey("header", "X-Key"))

    named = rate.key_of(
        RequestView("GET", "/", headers=CIMultiDict({"X-Key": "1.2.3.4"}), remote="9.9.9.9")
    )
    nameless = rate.key_of(RequestView("GET", "/", remote="1.2.3.4"))

    assert named != nameless
    assert nameless == "address 1.2.3.4"
