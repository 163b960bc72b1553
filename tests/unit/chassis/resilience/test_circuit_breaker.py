"""The breaker: who may call, and when."""

import threading

import pytest

from chassis.config.breaker_settings import BreakerSettings
from chassis.core.errors import CircuitOpen
from chassis.core.live import Live
from chassis.resilience.circuit_breaker import CircuitBreaker

AWAY = ConnectionError("refused")


def make_breaker(fail_max: int = 3, reset: float = 60.0) -> CircuitBreaker:
    settings = BreakerSettings(fail_max=fail_max, reset_timeout_seconds=reset)
    return CircuitBreaker("catalog-service", Live(settings))


def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        breaker.acquire_permit().failed(AWAY)


def test_a_breaker_opens_after_fail_max_failures_in_a_row() -> None:
    breaker = make_breaker(fail_max=3)

    fail(breaker, 2)
    breaker.acquire_permit().succeeded()
    fail(breaker, 2)
    assert breaker.state == "CLOSED"

    fail(breaker, 1)
    assert breaker.state == "OPEN"


@pytest.mark.parametrize(("weight", "state"), [(2, "CLOSED"), (3, "OPEN"), (30, "OPEN")])
def test_a_call_for_many_requests_counts_as_often_as_they_would_have_called(
    weight: int, state: str
) -> None:
    breaker = make_breaker(fail_max=3)
    permit = breaker.acquire_permit()
    permit.weight = weight

    permit.failed(AWAY)

    assert breaker.state == state
    assert breaker.calls["failed"] == 1


def test_an_open_breaker_refuses_at_once_with_retry_after() -> None:
    breaker = make_breaker(reset=60)
    fail(breaker, 3)

    with pytest.raises(CircuitOpen) as refused:
        breaker.acquire_permit()

    assert refused.value.retry_after == 60
    assert breaker.not_permitted == 1


def test_exactly_one_of_many_callers_gets_the_probe() -> None:
    breaker = make_breaker(reset=1e-9)
    fail(breaker, 3)
    barrier, permits, refused = threading.Barrier(16), [], []

    def call() -> None:
        barrier.wait()
        try:
            permits.append(breaker.acquire_permit())
        except CircuitOpen as error:
            refused.append(error)

    threads = [threading.Thread(target=call) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(permits), len(refused)) == (1, 15)
    assert breaker.state == "HALF_OPEN"
    permits[0].succeeded()
    assert breaker.state == "CLOSED"


def test_a_failed_probe_opens_the_breaker_again() -> None:
    breaker = make_breaker(reset=1e-9)
    fail(breaker, 3)

    breaker.acquire_permit().failed(AWAY)

    assert breaker.state == "OPEN"
    transitions = [event.transition for event in breaker.events if event.transition]
    assert transitions == ["CLOSED_TO_OPEN", "OPEN_TO_HALF_OPEN", "HALF_OPEN_TO_OPEN"]


def test_after_a_probe_without_an_outcome_the_next_call_is_the_probe() -> None:
    breaker = make_breaker(reset=1e-9)
    fail(breaker, 3)

    breaker.acquire_permit().close()

    breaker.acquire_permit().succeeded()
    assert breaker.state == "CLOSED"


def test_the_outcome_of_a_call_from_before_it_opened_changes_nothing() -> None:
    breaker = make_breaker(reset=60)
    late = breaker.acquire_permit()
    fail(breaker, 3)

    late.succeeded()

    assert breaker.state == "OPEN"


def test_a_slow_call_does_not_hold_up_other_callers() -> None:
    breaker = make_breaker()
    slow = [breaker.acquire_permit() for _ in range(64)]

    breaker.acquire_permit().succeeded()

    for permit in slow:
        permit.succeeded()
    assert breaker.calls["successful"] == 65


def test_changed_settings_apply_at_the_next_call() -> None:
    settings = Live(BreakerSettings(fail_max=3, reset_timeout_seconds=60))
    breaker = CircuitBreaker("x", settings)
    settings.set(BreakerSettings(fail_max=1, reset_timeout_seconds=60))

    fail(breaker, 1)

    assert breaker.state == "OPEN"


def test_a_breaker_forced_open_allows_no_probe_until_it_is_reset() -> None:
    breaker = make_breaker(reset=1e-9)
    breaker.force_open()

    for _ in range(3):
        with pytest.raises(CircuitOpen, match="on purpose"):
            breaker.acquire_permit()
    assert (breaker.state, breaker.seconds_to_probe()) == ("FORCED_OPEN", 0)

    breaker.reset()
    breaker.acquire_permit().succeeded()
    assert breaker.state == "CLOSED"


def test_a_disabled_breaker_lets_all_calls_through_and_counts_none() -> None:
    breaker = make_breaker(fail_max=3)
    fail(breaker, 3)
    breaker.disable()

    fail(breaker, 20)
    assert (breaker.state, breaker.calls["failed"]) == ("DISABLED", 3)


def test_a_reset_forgets_the_failures_so_far() -> None:
    breaker = make_breaker(fail_max=3)
    fail(breaker, 2)

    breaker.reset()
    fail(breaker, 2)
    assert breaker.state == "CLOSED"


def test_each_state_transition_is_one_event() -> None:
    breaker = make_breaker(fail_max=3)

    breaker.force_open()
    breaker.force_open()
    breaker.disable()
    breaker.reset()
    breaker.reset()

    assert [event.transition for event in breaker.events] == [
        "CLOSED_TO_FORCED_OPEN",
        "FORCED_OPEN_TO_DISABLED",
        "DISABLED_TO_CLOSED",
    ]


def test_a_new_instance_hastens_the_probe() -> None:
    breaker = make_breaker(reset=60)
    fail(breaker, 3)

    breaker.hasten_probe()
    breaker.acquire_permit().succeeded()

    assert breaker.state == "CLOSED"


def test_refusals_do_not_push_out_other_events() -> None:
    breaker = make_breaker(fail_max=3)
    fail(breaker, 3)
    for _ in range(500):
        with pytest.raises(CircuitOpen):
            breaker.acquire_permit()

    assert [event.type for event in breaker.events] == [
        "ERROR",
        "ERROR",
        "ERROR",
        "STATE_TRANSITION",
        "NOT_PERMITTED",
    ]
    assert breaker.not_permitted == 500
