"""Two of each: one may die, and nobody notices."""

import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest

from . import fault_injection, outcomes
from .steady_load import Load

DOUBLED = ("catalog-service", "order-service")
RATE = 10
CALLS = 20
# More than the failures that open a breaker lie with each of the two.
CROWD = 24
HELD_MILLISECONDS = 1500


@pytest.fixture(scope="module")
def pairs(shop: Any) -> Iterator[None]:
    """Two instances of each service that is to lose one."""
    _scale(shop, 2)
    yield
    _scale(shop, 1)


def _scale(shop: Any, number: int) -> None:
    """Both services side by side."""
    with ThreadPoolExecutor(len(DOUBLED)) as pool:
        list(pool.map(lambda service: shop.run("scale", service, str(number)), DOUBLED))


def test_a_killed_instance_with_much_under_way_takes_nothing_from_the_other(
    shop: Any, pairs: None
) -> None:
    customer = shop.customer()
    fault_injection.slow(shop, "order-service", HELD_MILLISECONDS)
    with ThreadPoolExecutor(CROWD) as pool:
        under_way = [pool.submit(outcomes.see, customer.place) for _ in range(CROWD)]
        wait(under_way, timeout=HELD_MILLISECONDS / 2000)
        fault_injection.kill(shop, "order-service", 2)
        after = [outcomes.see(customer.place).outcome for _ in range(3)]
    held = {each.result().outcome for each in under_way}

    assert held <= {"201", "503 service-unavailable"}
    assert set(after) == {"201"}


def test_of_two_instances_one_may_be_killed(shop: Any, pairs: None) -> None:
    load = Load(shop, RATE, random.Random(0))
    moments = []

    with load.running():
        for service in DOUBLED:
            load.await_shots(CALLS)
            moments.append(time.monotonic())
            fault_injection.kill(shop, service, 2)
            moments.append(time.monotonic())
            load.await_shots(CALLS)

    # Only what lay with the killed order-service may be lost: it had reached it.
    _, _, before, after = moments
    lost = [shot for shot in load.shots if shot.is_refused]
    assert [s for s in lost if s.began > after or s.ended < before] == []
    assert not load.complaints()
    shop.until(lambda: not load.ask_again(), 60)
