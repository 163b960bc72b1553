"""What protects the services, and the gateway itself: deadlines, places, retries in a budget."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiohttp import web

from .conftest import (
    BOTH_CHAINS,
    PATIENCE,
    WAIT,
    Shop,
    until,
)
from .test_outages import Rude, saying, slow
from .test_refusals import check

pytestmark = BOTH_CHAINS


def test_a_client_in_a_hurry_is_answered_in_time_and_opens_no_breaker(shop: Shop) -> None:
    shop.set(fusebox__gateway__read_timeout_seconds=5)
    shop.upstream(slow)

    for _ in range(5):
        answer = shop.call("/order-service/x", headers={"X-Request-Timeout-Ms": "20"})
        check(answer, 504, "upstream-timeout")
    assert shop.breaker() == "CLOSED"


def test_the_deadline_travels_and_nobody_outside_can_set_it(shop: Shop) -> None:
    upstream = shop.upstream()

    shop.call("/order-service/x", headers={"X-Request-Deadline": "1", "X-Request-Attempt": "9"})

    seen = upstream.seen[0].headers
    left = int(seen["X-Request-Deadline"]) / 1000 - time.time()
    assert 0 < left <= PATIENCE
    assert "X-Request-Attempt" not in seen
    assert "X-Request-Timeout-Ms" not in seen


def test_what_is_over_the_bulkhead_is_refused_at_once_and_opens_no_breaker(shop: Shop) -> None:
    shop.set(fusebox__bulkhead__max_concurrent_calls=2, fusebox__gateway__read_timeout_seconds=5)
    waits = asyncio.Event()

    async def until_told(request: web.BaseRequest) -> web.StreamResponse:
        await waits.wait()
        return web.Response(text="done")

    upstream = shop.upstream(until_told)
    with ThreadPoolExecutor(2) as pool:
        # Not the same address: of two who want the same only one would go.
        held = [pool.submit(requests.get, f"{shop.url}/order-service/{i}") for i in range(2)]
        until(lambda: len(upstream.seen) == 2)
        for _ in range(10):
            refused = shop.call("/order-service/x")
            check(refused, 503, "overloaded")
            assert refused.headers["Retry-After"] == "1"
        shop.servers.call(waits.set)
        assert [call.result(WAIT).text for call in held] == ["done", "done"]
    assert shop.breaker() == "CLOSED"


def test_an_overloaded_gateway_sheds_and_still_says_that_it_is_well(shop: Shop) -> None:
    shop.set(fusebox__gateway__max_concurrent_requests=1, fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(slow)
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(
            requests.get,
            f"{shop.url}/order-service/x",
            headers={"X-Request-Timeout-Ms": "2000"},
        )
        until(lambda: upstream.seen)

        check(shop.call("/catalog-service/x"), 503, "overloaded")
        assert shop.call("/actuator/health/liveness").ok
        held.result(WAIT)


@pytest.mark.parametrize(("method", "times"), [("GET", 2), ("PUT", 2), ("POST", 1), ("PATCH", 1)])
def test_only_what_does_no_harm_twice_is_asked_twice(shop: Shop, method: str, times: int) -> None:
    with Rude() as rude:
        shop.knows(rude.port)

        check(shop.call("/order-service/x", method), 503, "service-unavailable")

        assert len(rude.requests) == times
        assert [b"X-Request-Attempt" in request for request in rude.requests] == [False, True][
            :times
        ]


def test_an_instance_that_dies_says_nothing_about_the_others(shop: Shop) -> None:
    shop.upstream()
    with Rude() as rude:
        shop.knows(rude.port)

        for _ in range(12):
            shop.call("/order-service/x", "POST")

        assert rude.requests
    assert shop.process.breakers.of("order-service").calls["failed"] == 0


def test_retries_at_the_gateway_have_a_budget(shop: Shop) -> None:
    shop.set(fusebox__breaker__fail_max=1000)
    with Rude() as rude:
        shop.knows(rude.port)

        for _ in range(20):
            shop.call("/order-service/x")

        assert 20 < len(rude.requests) <= 20 + 1 + 2


def test_a_500_to_a_post_may_be_its_own_fault(shop: Shop) -> None:
    shop.upstream(saying(500))

    for _ in range(5):
        assert shop.call("/order-service/x", "POST").status_code == 500
    assert shop.breaker() == "CLOSED"
    for _ in range(3):
        assert shop.call("/order-service/x").status_code == 500
    assert shop.breaker() == "OPEN"


def test_the_gateway_itself_can_be_told_to_be_slow_or_to_fail(shop: Shop) -> None:
    shop.set(chaos__monkey__enabled=True)
    shop.upstream()
    order = {"exceptionsActive": True}
    path = "/actuator/chaosmonkey/assaults"

    check(shop.call(path, "POST", json=order), 401, "unauthenticated")
    shop.tokens.refresh()
    assert shop.call(path, "POST", json=order, headers=shop.token("admin")).ok
    check(shop.call("/order-service/x"), 500, "chaos")
    assert shop.call("/actuator/health/liveness").ok
