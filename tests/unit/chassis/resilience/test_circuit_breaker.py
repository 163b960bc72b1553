"""The breaker: who may call, and when."""

import threading

import pytest

from chassis.config.settings import BreakerSettings
from chassis.core.errors import CircuitOpen
from chassis.core.live import Live
from chassis.resilience.circuit_breaker import CircuitBreaker

AWAY = ConnectionError("refused")


def breaker(fail_max: int = 3, reset: float = 60.0) -> CircuitBreaker:
    settings = BreakerSettings(fail_max=fail_max, reset_timeout_seconds=reset)
    return CircuitBreaker("catalog-service", Live(settings))


def fail(tried: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        tried.acquire_permit().failed(AWAY)


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    tried = breaker(fail_max=3)

    fail(tried, 2)
    tried.acquire_permit().succeeded()
    fail(tried, 2)
    assert tried.state == "CLOSED"

    fail(tried, 1)
    assert tried.state == "OPEN"


def test_an_open_one_refuses_at_once_and_says_when_to_come_back() -> None:
    tried = breaker(reset=60)
    fail(tried, 3)

    with pytest.raises(CircuitOpen) as refused:
        tried.acquire_permit()

    assert refused.value.retry_after == 60
    assert tried.not_permitted == 1


def test_exactly_one_of_many_callers_gets_the_trial() -> None:
    tried = breaker(reset=1e-9)
    fail(tried, 3)
    barrier, admitted, refused = threading.Barrier(16), [], []

    def call() -> None:
        barrier.wait()
        try:
            admitted.append(tried.acquire_permit())
        except CircuitOpen as error:
            refused.append(error)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(admitted), len(refused)) == (1, 15)
    assert tried.state == "HALF_OPEN"
    admitted[0].succeeded()
    assert tried.state == "CLOSED"


def test_a_failed_trial_opens_it_again() -> None:
    tried = breaker(reset=1e-9)
    fail(tried, 3)

    tried.acquire_permit().failed(AWAY)

    assert tried.state == "OPEN"
    transitions = [event.transition for event in tried.events if event.transition]
    assert transitions == ["CLOSED_TO_OPEN", "OPEN_TO_HALF_OPEN", "HALF_OPEN_TO_OPEN"]


def test_a_trial_that_says_nothing_lets_the_next_one_try() -> None:
    tried = breaker(reset=1e-9)
    fail(tried, 3)

    tried.acquire_permit().close()

    tried.acquire_permit().succeeded()
    assert tried.state == "CLOSED"


def test_a_late_outcome_from_before_it_opened_changes_nothing() -> None:
    tried = breaker(reset=60)
    late = tried.acquire_permit()
    fail(tried, 3)

    late.succeeded()

    assert tried.state == "OPEN"


def test_callers_do_not_line_up_behind_a_slow_call() -> None:
    tried = breaker()
    slow = [tried.acquire_permit() for _ in range(64)]

    tried.acquire_permit().succeeded()

    for permit in slow:
        permit.succeeded()
    assert tried.calls["successful"] == 65


def test_changed_settings_apply_at_the_next_call() -> None:
    settings = Live(BreakerSettings(fail_max=3, reset_timeout_seconds=60))
    tried = CircuitBreaker("x", settings)
    settings.set(BreakerSettings(fail_max=1, reset_timeout_seconds=60))

    fail(tried, 1)

    assert tried.state == "OPEN"


def test_a_forced_one_stays_open_without_a_probe_until_it_is_reset() -> None:
    tried = breaker(reset=1e-9)
    tried.force_open()

    for _ in range(3):
        with pytest.raises(CircuitOpen, match="on purpose"):
            tried.acquire_permit()
    assert (tried.state, tried.seconds_to_probe()) == ("FORCED_OPEN", 0)

    tried.reset()
    tried.acquire_permit().succeeded()
    assert tried.state == "CLOSED"


def test_a_disabled_one_lets_all_through_and_counts_nothing() -> None:
    tried = breaker(fail_max=3)
    fail(tried, 3)
    tried.disable()

    fail(tried, 20)
    assert (tried.state, tried.calls["failed"]) == ("DISABLED", 3)


def test_a_reset_forgets_the_failures_so_far() -> None:
    tried = breaker(fail_max=3)
    fail(tried, 2)

    tried.reset()
    fail(tried, 2)
    assert tried.state == "CLOSED"


def test_each_change_is_told_once_under_the_name_that_is_shown() -> None:
    tried = breaker(fail_max=3)

    tried.force_open()
    tried.force_open()
    tried.disable()
    tried.reset()
    tried.reset()

    assert [event.transition for event in tried.events] == [
        "CLOSED_TO_FORCED_OPEN",
        "FORCED_OPEN_TO_DISABLED",
        "DISABLED_TO_CLOSED",
    ]


def test_a_new_instance_hastens_the_probe() -> None:
    tried = breaker(reset=60)
    fail(tried, 3)

    tried.hasten_probe()
    tried.acquire_permit().succeeded()

    assert tried.state == "CLOSED"


def test_refusals_do_not_push_out_the_news() -> None:
    tried = breaker(fail_max=3)
    fail(tried, 3)
    for _ in range(500):
        with pytest.raises(CircuitOpen):
            tried.acquire_permit()

    assert [event.type for event in tried.events] == [
        "ERROR",
        "ERROR",
        "ERROR",
        "STATE_TRANSITION",
        "NOT_PERMITTED",
    ]
    assert tried.not_permitted == 500
