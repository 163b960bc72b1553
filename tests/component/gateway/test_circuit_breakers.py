"""Whose fault is it: which failures cut a service off, and what brings it back."""

import asyncio
import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiohttp import web

from chassis.resilience.examination import OpenBreakerProber

from .conftest import WAIT, Shop, echo, until
from .test_outages import saying


async def broken_by(request: web.BaseRequest) -> web.StreamResponse:
    """Well, but for one kind of input."""
    return web.Response(status=500 if "bad" in request.path else 200)


@pytest.mark.parametrize("honest", [0, 1], ids=["quiet", "busy"])
def test_a_client_with_a_broken_input_switches_no_service_off(shop: Shop, honest: int) -> None:
    shop.upstream(broken_by)

    for number in range(100):
        path = f"/order-service/bad/{number % 7}"
        assert shop.call(path).status_code == 500
        for _ in range(honest):
            assert shop.call("/order-service/x").ok

    assert shop.call("/order-service/x").ok
    assert shop.breaker() == "CLOSED"


def test_many_clients_at_once_with_a_broken_input_switch_no_service_off(shop: Shop) -> None:
    shop.upstream(broken_by)
    users = [shop.token(sub=f"user-{number}") for number in range(8)]

    def attack(headers: dict[str, str]) -> set[int]:
        calls = range(30)
        return {
            requests.get(f"{shop.url}/order-service/bad", headers=headers, timeout=WAIT).status_code
            for _ in calls
        }

    with ThreadPoolExecutor(len(users)) as pool:
        attacks = [pool.submit(attack, headers) for headers in users]
        customers = [shop.call("/order-service/x").status_code for _ in range(60)]

    assert set(customers) == {200}
    assert set().union(*(done.result() for done in attacks)) == {500}
    assert shop.breaker() == "CLOSED"


def test_an_attacker_does_not_keep_a_breaker_open_as_its_trial(shop: Shop) -> None:
    upstream = shop.upstream(saying(503))
    for _ in range(3):
        shop.call("/order-service/x")
    assert shop.breaker() == "OPEN"
    upstream.answer = broken_by
    shop.set(fusebox__breaker__reset_timeout_seconds=0.01)

    until(lambda: shop.call("/order-service/bad").status_code == 500)

    assert shop.breaker() == "CLOSED"


def test_a_service_that_fails_a_share_of_all_calls_is_cut_off(shop: Shop) -> None:
    shop.set(fusebox__breaker__fail_max=1000, fusebox__breaker__failure_rate_threshold=25)
    numbers = itertools.count()

    async def every_third(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=200 if next(numbers) % 3 else 500)

    shop.upstream(every_third)
    answers = [shop.call("/order-service/x").status_code for _ in range(40)]

    assert answers[:20].count(500) == 7
    assert answers[-1] == 503
    assert shop.breaker() == "OPEN"


def test_the_rates_of_one_route_s_breaker_are_set_under_resilience4j_s_names(shop: Shop) -> None:
    instance = "resilience4j.circuitbreaker.instances.order-service."
    shop.source[instance + "sliding-window-size"] = 4
    shop.source[instance + "slow-call-duration-threshold"] = "20ms"
    shop.configuration.refresh()

    async def slow(_request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.05)
        return web.Response()

    shop.upstream(slow)
    shop.upstream(slow, "catalog-service")
    for _ in range(4):
        assert shop.call("/order-service/x").ok
        assert shop.call("/catalog-service/x").ok

    assert shop.breaker() == "OPEN"
    assert shop.breaker("catalog-service") == "CLOSED"
    page = json.loads(shop.process.actuator.answer("GET", "circuitbreakers/order-service").body)
    assert page["slowCallRate"] == "100.0%"
    assert (page["failureRate"], page["failedCalls"]) == ("0.0%", 0)
    assert (page["bufferedCalls"], page["slowCalls"]) == (4, 4)
    metrics = shop.process.actuator.answer("GET", "prometheus").body.decode()
    assert 'resilience4j_circuitbreaker_slow_call_rate{name="order-service"} 100.0' in metrics


def test_an_outage_that_is_mended_closes_the_breaker_though_nobody_calls(shop: Shop) -> None:
    upstream = shop.upstream(saying(500))
    for _ in range(3):
        shop.call("/order-service/x")
    assert shop.breaker() == "OPEN"
    prober, stop = OpenBreakerProber(shop.process.breakers), threading.Event()
    worker = threading.Thread(target=prober.run, args=(stop,))
    worker.start()
    try:
        upstream.answer = echo
        shop.process.breakers.hasten_probe("order-service")
        until(lambda: shop.breaker() == "CLOSED")
    finally:
        stop.set()
        worker.join(WAIT)
    states = [event.transition for event in shop.process.breakers.of("order-service").events]
    assert [state for state in states if state][1:] == ["OPEN_TO_HALF_OPEN", "HALF_OPEN_TO_CLOSED"]


def test_a_breaker_stays_open_while_the_service_does_not_answer_a_probe(shop: Shop) -> None:
    upstream = shop.upstream()
    shop.servers.run(upstream.stop())
    for _ in range(3):
        shop.call("/order-service/x")

    shop.process.breakers.hasten_probe("order-service")
    OpenBreakerProber(shop.process.breakers).probe()

    assert shop.breaker() == "OPEN"
