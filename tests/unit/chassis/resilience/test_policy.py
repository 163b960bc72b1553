"""What stands between a caller and the called: places, retries, deadlines, outcomes that count."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.config.settings import BreakerSettings, BulkheadSettings, Fusebox, RetrySettings
from chassis.core.errors import CircuitOpen, DeadlineOver, Overloaded
from chassis.core.live import Live
from chassis.resilience import deadline
from chassis.resilience.bulkhead import Bulkhead
from chassis.resilience.circuit_breaker import CircuitBreakerRegistry
from chassis.resilience.policy import ResiliencePolicies, ResiliencePolicy
from chassis.resilience.retry_budget import AT_START, MOST_SAVED, RetryBudget

AWAY = ConnectionError("refused")


@pytest.fixture(autouse=True)
def no_request() -> Iterator[None]:
    deadline.enter({})
    yield
    deadline.enter({})


def bulkhead(places: int, wait: float = 0) -> Bulkhead:
    settings = BulkheadSettings(max_concurrent_calls=places, max_wait_seconds=wait)
    return Bulkhead("catalog-service", Live(settings))


@contextmanager
def place_in(tried: Bulkhead) -> Iterator[None]:
    tried.enter()
    yield
    tried.leave()


def protection(places: int = 1) -> ResiliencePolicy:
    settings = Fusebox(
        breaker=BreakerSettings(fail_max=2, reset_timeout_seconds=60),
        bulkhead=BulkheadSettings(max_concurrent_calls=places, max_wait_seconds=0),
    )
    return ResiliencePolicies(CircuitBreakerRegistry(Live(settings.breaker)), Live(settings)).of(
        "catalog-service"
    )


def test_a_bulkhead_refuses_at_once_when_all_places_are_taken_and_takes_again() -> None:
    tried = bulkhead(places=2)

    with place_in(tried), place_in(tried), pytest.raises(Overloaded), place_in(tried):
        pass
    with place_in(tried), place_in(tried):
        pass


def test_a_place_that_gets_free_in_time_is_taken() -> None:
    tried = bulkhead(places=1, wait=30)
    waiting = threading.Event()
    got = []

    def wait_for_it() -> None:
        waiting.set()
        with place_in(tried):
            got.append(True)

    with place_in(tried):
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        waiting.wait(5)
    thread.join(5)

    assert got == [True]


@given(st.lists(st.booleans(), max_size=300))
def test_no_more_than_a_tenth_of_the_calls_is_repeated(steps: list[bool]) -> None:
    budget = RetryBudget(Live(RetrySettings(budget=0.1)))
    calls = retries = 0

    for is_call in steps:
        if is_call:
            budget.called()
            calls += 1
        else:
            retries += budget.take()

    assert retries <= AT_START + calls * 0.1 + 1e-6


def test_quiet_times_save_up_only_so_much() -> None:
    budget = RetryBudget(Live(RetrySettings(budget=1.0)))
    for _ in range(1000):
        budget.called()

    assert sum(budget.take() for _ in range(1000)) == MOST_SAVED


def test_a_refusal_of_our_own_never_opens_the_breaker() -> None:
    tried = protection(places=1)

    with tried.permit() as permit:
        for _ in range(50):
            with pytest.raises(Overloaded), tried.permit():
                pass
        permit.succeeded()

    assert tried.breaker.state == "CLOSED"
    assert tried.breaker.calls == {"successful": 1, "failed": 0, "ignored": 50}


def test_an_open_breaker_takes_no_place() -> None:
    tried = protection(places=1)
    for _ in range(2):
        with tried.permit() as permit:
            permit.failed(AWAY)

    with pytest.raises(CircuitOpen), tried.permit():
        pass


def test_a_deadline_travels_and_is_over_at_the_next_hop_too() -> None:
    deadline.enter_from_outside({"X-Request-Timeout-Ms": "40"}, longest=10)
    sent = deadline.outgoing()
    deadline.enter(sent)

    left = deadline.time_left()
    assert left is not None
    assert left <= 0.041
    while (deadline.time_left() or 0) > 0:
        threading.Event().wait(0.001)
    with pytest.raises(DeadlineOver):
        deadline.check()


@pytest.mark.parametrize("said", ["", "-1", "soon", "1e3", "٣", "9" * 16, "999999999"])
def test_a_client_cannot_have_more_time_than_the_gateway_gives(said: str) -> None:
    deadline.enter_from_outside({"X-Request-Timeout-Ms": said}, longest=10)

    left = deadline.time_left()
    assert left is not None
    assert 9 < left <= 10


def test_without_a_deadline_nothing_is_ever_over() -> None:
    deadline.enter({})

    deadline.check()
    assert deadline.time_left() is None
    assert deadline.outgoing() == {}


def test_what_is_bounded_within_a_request_keeps_its_deadline() -> None:
    deadline.enter_from_outside({"X-Request-Timeout-Ms": "500"}, longest=10)

    with deadline.at_most(60):
        assert (deadline.time_left() or 0) <= 0.5
    with deadline.at_most(0.01):
        assert (deadline.time_left() or 0) <= 0.01
    assert (deadline.time_left() or 0) > 0.01


def test_who_was_asked_a_second_time_does_not_ask_a_second_time() -> None:
    deadline.enter(deadline.outgoing(is_retry=True))

    assert not deadline.may_retry()
    assert deadline.outgoing() == {"X-Request-Attempt": "2"}
    deadline.enter({})
    assert deadline.may_retry()
