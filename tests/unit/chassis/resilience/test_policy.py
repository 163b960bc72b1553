"""What stands between a caller and the called: places, retries, deadlines, outcomes that count."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.config.breaker_settings import BreakerSettings
from chassis.config.settings import BulkheadSettings, Fusebox, RetrySettings
from chassis.core.errors import CircuitOpen, DeadlineOver, Overloaded
from chassis.core.live import Live
from chassis.resilience import deadline
from chassis.resilience.bulkhead import Bulkhead
from chassis.resilience.circuit_breaker_registry import CircuitBreakerRegistry
from chassis.resilience.policy import ResiliencePolicies, ResiliencePolicy
from chassis.resilience.retry_budget import AT_START, MOST_SAVED, RetryBudget

AWAY = ConnectionError("refused")


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    deadline.enter({})
    yield
    deadline.enter({})


def make_bulkhead(places: int, wait: float = 0) -> Bulkhead:
    settings = BulkheadSettings(max_concurrent_calls=places, max_wait_seconds=wait)
    return Bulkhead("catalog-service", Live(settings))


@contextmanager
def place_in(bulkhead: Bulkhead) -> Iterator[None]:
    bulkhead.enter()
    yield
    bulkhead.leave()


def make_policy(places: int = 1) -> ResiliencePolicy:
    settings = Fusebox(
        breaker=BreakerSettings(fail_max=2, reset_timeout_seconds=60),
        bulkhead=BulkheadSettings(max_concurrent_calls=places, max_wait_seconds=0),
    )
    return ResiliencePolicies(CircuitBreakerRegistry(Live(settings.breaker)), Live(settings)).of(
        "catalog-service"
    )


def test_a_bulkhead_refuses_at_once_when_all_places_are_taken_and_takes_again() -> None:
    full = make_bulkhead(places=2)

    with place_in(full), place_in(full), pytest.raises(Overloaded), place_in(full):
        pass
    with place_in(full), place_in(full):
        pass


def test_a_place_that_gets_free_in_time_is_taken() -> None:
    full = make_bulkhead(places=1, wait=30)
    waiting = threading.Event()
    got = []

    def wait_for_it() -> None:
        waiting.set()
        with place_in(full):
            got.append(True)

    with place_in(full):
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        waiting.wait(5)
    thread.join(5)

    assert got == [True]


@given(st.lists(st.booleans(), max_size=300))
def test_no_more_than_the_budget_s_share_of_calls_is_repeated(steps: list[bool]) -> None:
    budget = RetryBudget(Live(RetrySettings(budget=0.1)))
    calls = retries = 0

    for is_call in steps:
        if is_call:
            budget.called()
            calls += 1
        else:
            retries += budget.take()

    assert retries <= AT_START + calls * 0.1 + 1e-6


def test_a_retry_budget_saves_up_only_so_much() -> None:
    budget = RetryBudget(Live(RetrySettings(budget=1.0)))
    for _ in range(1000):
        budget.called()

    assert sum(budget.take() for _ in range(1000)) == MOST_SAVED


def test_a_refusal_of_our_own_never_opens_the_breaker() -> None:
    policy = make_policy(places=1)

    with policy.permit() as permit:
        for _ in range(50):
            with pytest.raises(Overloaded), policy.permit():
                pass
        permit.succeeded()

    assert policy.breaker.state == "CLOSED"
    assert policy.breaker.calls == {"successful": 1, "failed": 0, "ignored": 50}


def test_a_call_refused_by_an_open_breaker_takes_no_place_in_the_bulkhead() -> None:
    policy = make_policy(places=1)
    for _ in range(2):
        with policy.permit() as permit:
            permit.failed(AWAY)

    with pytest.raises(CircuitOpen), policy.permit():
        pass


def test_a_deadline_travels_to_the_next_process_and_is_over_there_too() -> None:
    deadline.enter_from_outside(0.04, longest=10)
    sent = deadline.outgoing()
    deadline.enter(sent)

    left = deadline.time_left()
    assert left is not None
    assert left <= 0.041
    while (deadline.time_left() or 0) > 0:
        threading.Event().wait(0.001)
    with pytest.raises(DeadlineOver):
        deadline.check()


@pytest.mark.parametrize("timeout", ["", "-1", "soon", "1e3", "٣", "9" * 16, "999999999"])
def test_a_client_cannot_have_more_time_than_the_gateway_gives(timeout: str) -> None:
    deadline.enter_from_outside(deadline.requested({"X-Request-Timeout-Ms": timeout}), longest=10)

    left = deadline.time_left()
    assert left is not None
    assert 9 < left <= 10


def test_without_a_deadline_no_request_ends_early() -> None:
    deadline.enter({})

    deadline.check()
    assert deadline.time_left() is None
    assert deadline.outgoing() == {}


def test_a_tighter_bound_for_a_part_leaves_the_deadline_of_the_request() -> None:
    deadline.enter_from_outside(0.5, longest=10)

    with deadline.at_most(60):
        assert (deadline.time_left() or 0) <= 0.5
    with deadline.at_most(0.01):
        assert (deadline.time_left() or 0) <= 0.01
    assert (deadline.time_left() or 0) > 0.01


def test_a_request_that_is_a_retry_may_not_be_retried_further() -> None:
    deadline.enter(deadline.outgoing(is_retry=True))

    assert not deadline.may_retry()
    assert deadline.outgoing() == {"X-Request-Attempt": "2"}
    deadline.enter({})
    assert deadline.may_retry()
