"""Waiting for a decision: handed over by this process, or found in the database."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest

from order_service.long_poll import UNDECIDED, LongPoll, WaitOutcome
from order_service.models import OrderStatus
from order_service.statements import Move

LONG = 10.0


class Database:
    """Stands in for the sessionmaker: `decided` is what other instances have committed."""

    def __init__(self) -> None:
        self.decided: list[UUID] = []
        self.questions = 0

    def __call__(self) -> "Database":
        return self

    def __enter__(self) -> "Database":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def scalars(self, _statement: Any, _values: Any) -> list[UUID]:
        self.questions += 1
        return self.decided


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def begun(pool: ThreadPoolExecutor, poll: LongPoll, order_id: UUID) -> Future[WaitOutcome]:
    """A request that waits, once it really does."""
    future = pool.submit(poll.wait_for_decision, order_id, LONG)
    until(lambda: order_id in poll._waiting)
    return future


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_what_this_process_decides_ends_the_wait_without_asking_the_database(
    pool: ThreadPoolExecutor,
) -> None:
    database, order_id, other = Database(), uuid4(), uuid4()
    poll = LongPoll(database, slots=2)  # type: ignore[arg-type]
    waits, waits_on = begun(pool, poll, order_id), begun(pool, poll, other)

    poll.decided({order_id})

    assert waits.result(LONG).is_decided
    assert not waits_on.done()
    poll.decided({other})
    assert waits_on.result(LONG).is_decided
    assert database.questions == 0


def test_who_waits_is_handed_what_became_of_the_order_where_it_is_known(
    pool: ThreadPoolExecutor,
) -> None:
    rejected, cancelled = uuid4(), uuid4()
    move = Move(rejected, OrderStatus.REJECTED, "out-of-stock")
    poll = LongPoll(Database(), slots=2)  # type: ignore[arg-type]
    waits = [begun(pool, poll, order_id) for order_id in (rejected, cancelled)]

    poll.decided([rejected, cancelled], {rejected: move})

    assert [future.result(LONG) for future in waits] == [
        WaitOutcome(True, move),
        WaitOutcome(True, None),
    ]


def test_what_another_instance_decides_is_found_in_the_database(pool: ThreadPoolExecutor) -> None:
    database, order_id, stop = Database(), uuid4(), threading.Event()
    poll = LongPoll(database, slots=1)  # type: ignore[arg-type]
    worker = pool.submit(poll.run, stop)
    waits = begun(pool, poll, order_id)
    until(lambda: database.questions > 0)
    assert not waits.done()

    database.decided = [order_id]

    assert waits.result(LONG).is_decided
    stop.set()
    worker.result(LONG)


def test_nobody_asks_the_database_while_nobody_waits(pool: ThreadPoolExecutor) -> None:
    database, stop = Database(), threading.Event()
    poll = LongPoll(database, slots=1)  # type: ignore[arg-type]

    worker = pool.submit(poll.run, stop)
    assert poll.wait_for_decision(uuid4(), 0) == UNDECIDED
    stop.set()
    worker.result(LONG)

    assert database.questions == 0


def test_all_requests_that_wait_for_one_order_learn_of_its_decision(
    pool: ThreadPoolExecutor,
) -> None:
    order_id = uuid4()
    poll = LongPoll(Database(), slots=2)  # type: ignore[arg-type]
    waits = [begun(pool, poll, order_id) for _ in range(2)]
    until(lambda: len(poll._waiting[order_id]) == 2)

    poll.decided({order_id})

    assert all(future.result(LONG).is_decided for future in waits)


def test_a_wait_ends_undecided_when_its_time_is_over() -> None:
    poll = LongPoll(Database(), slots=1)  # type: ignore[arg-type]

    assert poll.wait_for_decision(uuid4(), 0.01) == UNDECIDED
    assert not poll._waiting


def test_without_a_free_slot_nobody_waits(pool: ThreadPoolExecutor) -> None:
    order_id = uuid4()
    poll = LongPoll(Database(), slots=1)  # type: ignore[arg-type]
    waits = begun(pool, poll, order_id)

    assert poll.wait_for_decision(uuid4(), LONG) == UNDECIDED

    poll.decided({order_id})
    assert waits.result(LONG).is_decided
