"""Two instances of each service: one may die, and no client notices."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from . import fault_injection, outcomes
from .order_load import OrderLoad

DOUBLED = ("catalog-service", "order-service")
RATE = 10
CALLS = 20
# More than the failures that open a breaker lie with each of the two.
CROWD = 24
HELD_MILLISECONDS = 1500


@pytest.fixture(scope="module")
def two_instances_each(shop: Any) -> Iterator[None]:
    """Two instances of each service that is to lose one."""
    _scale(shop, 2)
    yield
    _scale(shop, 1)


def _scale(shop: Any, number: int) -> None:
    """Both services side by side."""
    with ThreadPoolExecutor(len(DOUBLED)) as pool:
        list(pool.map(lambda service: shop.run("scale", service, str(number)), DOUBLED))


def test_a_killed_instance_with_many_requests_in_flight_takes_nothing_from_the_other(
    shop: Any, two_instances_each: None
) -> None:
    customer = shop.customer()
    fault_injection.slow(shop, "order-service", HELD_MILLISECONDS)
    with ThreadPoolExecutor(CROWD) as pool:
        in_flight = [pool.submit(outcomes.observe, customer.place) for _ in range(CROWD)]
        wait(in_flight, timeout=HELD_MILLISECONDS / 2000)
        fault_injection.kill(shop, "order-service", 2)
        after = [outcomes.observe(customer.place).outcome for _ in range(3)]
    held = {future.result().outcome for future in in_flight}

    assert held <= {"201", "503 service-unavailable"}
    assert set(after) == {"201"}


def test_with_two_instances_one_may_be_killed_without_a_failed_request(
    shop: Any, two_instances_each: None
) -> None:
    load = OrderLoad(shop, RATE, random.Random(0))
    moments = []

    with load.running():
        for service in DOUBLED:
            load.await_calls(CALLS)
            moments.append(time.monotonic())
            fault_injection.kill(shop, service, 2)
            moments.append(time.monotonic())
            load.await_calls(CALLS)

    # Only what lay with the killed order-service may be lost: it had reached it.
    _, _, before, after = moments
    lost = [call for call in load.calls if call.is_refused]
    assert [s for s in lost if s.began > after or s.ended < before] == []
    assert not load.complaints()
    shop.until(lambda: not load.retry_unanswered(), 60)
