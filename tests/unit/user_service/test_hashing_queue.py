"""The queue before the cores: how many hash at once, who waits, and who is turned away."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from chassis.core.errors import Overloaded
from chassis.core.live import Live
from chassis.resilience import deadline
from user_service.hashing_queue import HashingQueue


def figures(queue: HashingQueue) -> dict[str, float]:
    return {sample.name: sample.value for metric in queue.metrics() for sample in metric.samples}


def wait_for(queue: HashingQueue, waiting: int) -> None:
    end = time.monotonic() + 5
    while figures(queue)["password_hashing_queued"] != waiting:
        assert time.monotonic() < end
        time.sleep(0.001)


@contextmanager
def full(queue: HashingQueue, waiting: int) -> Iterator[list[int]]:
    """All slots are taken and `waiting` wait; yields in which order these get theirs."""
    order: list[int] = []

    def take(number: int) -> None:
        with queue.slot():
            order.append(number)

    with ThreadPoolExecutor(max(1, waiting)) as threads, queue.slot():
        for number in range(waiting):
            threads.submit(take, number)
            wait_for(queue, number + 1)
        yield order


def test_no_more_have_a_place_at_once_than_there_are() -> None:
    queue, lock, running, most = HashingQueue(Live(100), slots=2), threading.Lock(), 0, 0

    def work(_number: int) -> None:
        nonlocal running, most
        with queue.slot():
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.002)
            with lock:
                running -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(40)))

    assert most == 2
    assert figures(queue)["password_hashing_active"] == 0


def test_who_comes_first_is_served_first() -> None:
    with full(HashingQueue(Live(9), slots=1), waiting=9) as order:
        pass

    assert order == list(range(9))


def test_who_finds_the_queue_full_is_told_at_once_when_to_come_again() -> None:
    queue = HashingQueue(Live(3), slots=1)

    with full(queue, waiting=3), pytest.raises(Overloaded) as refused, queue.slot():
        pass

    assert refused.value.retry_after
    assert figures(queue)["password_hashing_rejected_total"] == 1
    with queue.slot():
        assert figures(queue)["password_hashing_active"] == 1


def test_who_waits_for_a_place_waits_no_longer_than_the_request_has() -> None:
    queue = HashingQueue(Live(9), slots=1)

    def wait_in_vain(_number: int) -> None:
        with deadline.at_most(0.05), pytest.raises(Overloaded), queue.slot():
            pass

    with queue.slot(), ThreadPoolExecutor(4) as threads:
        list(threads.map(wait_in_vain, range(4)))

    assert figures(queue) == {
        "password_hashing_active": 0,
        "password_hashing_queued": 0,
        "password_hashing_rejected_total": 4,
    }


def test_the_length_of_the_queue_changes_while_it_runs() -> None:
    longest = Live(1)
    queue = HashingQueue(longest, slots=1)

    with full(queue, waiting=1) as order:
        longest.set(2)
        second = threading.Thread(target=lambda: _take(queue, order))
        second.start()
        wait_for(queue, 2)
    second.join(5)

    assert order == [0, 1]


def _take(queue: HashingQueue, order: list[int]) -> None:
    with queue.slot():
        order.append(1)
