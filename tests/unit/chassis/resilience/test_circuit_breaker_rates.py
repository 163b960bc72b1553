"""The breaker by rates: over windows, in trials, and when a failure may be its request's fault."""

from typing import Any

import pytest

from chassis.config.breaker_settings import BreakerSettings
from chassis.core.errors import CircuitOpen
from chassis.core.live import Live
from chassis.resilience.circuit_breaker import CircuitBreaker

AWAY = ConnectionError("refused")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def by_rate(clock: Clock, **changed: Any) -> CircuitBreaker:
    """A breaker for which failures in a row hardly matter."""
    settings = BreakerSettings(
        **{
            "fail_max": 1000,
            "sliding_window_size": 10,
            "minimum_number_of_calls": 10,
            "failure_rate_threshold": 30,
            "reset_timeout_seconds": 60,
            **changed,
        }
    )
    return CircuitBreaker("catalog-service", Live(settings), clock)


def call(breaker: CircuitBreaker, clock: Clock, outcomes: str, seconds: float = 0.0) -> None:
    """One call for each letter: `.` goes well, `x` fails, `5` is answered with 500."""
    for outcome in outcomes:
        permit = breaker.acquire_permit()
        clock.now += seconds
        if outcome == ".":
            permit.succeeded()
        elif outcome == "x":
            permit.failed(AWAY)
        else:
            permit.failed_by_answer(AWAY)


def test_a_share_of_failures_opens_a_breaker_though_never_two_in_a_row() -> None:
    clock = Clock()
    breaker = by_rate(clock)

    call(breaker, clock, ".x..x...x")
    assert (breaker.state, breaker.window.calls) == ("CLOSED", 9)
    call(breaker, clock, ".")
    assert breaker.state == "OPEN"


def test_failures_that_have_left_the_window_are_forgotten() -> None:
    clock = Clock()
    breaker = by_rate(clock)

    call(breaker, clock, "xx........" + "..........xx.")

    assert (breaker.state, breaker.window.failed) == ("CLOSED", 2)


def test_a_window_by_time_forgets_by_time() -> None:
    clock = Clock()
    breaker = by_rate(clock, sliding_window_type="TIME_BASED", minimum_number_of_calls=4)

    call(breaker, clock, "xxx")
    clock.now += 11
    call(breaker, clock, "...x")
    assert breaker.state == "CLOSED"
    call(breaker, clock, "x")
    assert breaker.state == "OPEN"


def test_slow_calls_open_a_breaker_though_all_succeed() -> None:
    clock = Clock()
    slow = {"slow_call_duration_threshold": "500ms", "slow_call_rate_threshold": 80}
    breaker = by_rate(clock, **slow)

    call(breaker, clock, "..")
    call(breaker, clock, "." * 7, seconds=0.8)
    assert (breaker.state, breaker.window.slow) == ("CLOSED", 7)
    call(breaker, clock, ".", seconds=0.8)
    assert breaker.state == "OPEN"


def test_a_slow_trial_opens_the_breaker_again() -> None:
    clock = Clock()
    breaker = by_rate(clock, slow_call_duration_threshold="500ms", fail_max=1)
    call(breaker, clock, "x")
    clock.now += 60

    call(breaker, clock, ".", seconds=0.8)
    assert breaker.state == "OPEN"
    clock.now += 60
    call(breaker, clock, ".", seconds=0.1)
    assert breaker.state == "CLOSED"


def test_as_many_trials_are_permitted_as_configured_and_judged_by_their_rate() -> None:
    clock = Clock()
    breaker = by_rate(clock, permitted_number_of_calls_in_half_open_state=4, fail_max=1)
    call(breaker, clock, "x")
    clock.now += 60

    permits = [breaker.acquire_permit() for _ in range(4)]
    with pytest.raises(CircuitOpen):
        breaker.acquire_permit()
    permits[0].failed(AWAY)
    for trial in permits[1:]:
        assert breaker.state == "HALF_OPEN"
        trial.succeeded()
    assert breaker.state == "CLOSED"


def test_changed_thresholds_and_windows_apply_at_the_next_call() -> None:
    clock, settings = Clock(), Live(BreakerSettings())
    breaker = CircuitBreaker("x", settings, clock)
    call(breaker, clock, "...x")

    settings.set(BreakerSettings(sliding_window_size=4, failure_rate_threshold=75))
    call(breaker, clock, ".x.xx")

    assert breaker.state == "OPEN"


def test_requests_at_fault_themselves_never_open_the_breaker_of_a_service_that_is_well() -> None:
    clock = Clock()
    breaker = by_rate(clock, fail_max=5)

    for _ in range(200):
        permit = breaker.acquire_permit()
        if permit.failed_by_answer(AWAY):
            breaker.examined(None)
        clock.now += 0.1

    assert breaker.state == "CLOSED"
    assert breaker.calls["failed"] == 200


def test_a_service_that_is_found_broken_is_open_at_the_failure_in_a_row_that_raised_it() -> None:
    clock = Clock()
    breaker = by_rate(clock, fail_max=5)

    call(breaker, clock, "5555")
    assert (breaker.state, breaker.failures) == ("CLOSED", 4)
    assert breaker.acquire_permit().failed_by_answer(AWAY)
    breaker.examined(AWAY)

    assert breaker.state == "OPEN"


def test_a_success_ends_a_row_of_suspected_failures_too() -> None:
    clock = Clock()
    breaker = by_rate(clock, fail_max=3, minimum_number_of_calls=10)

    call(breaker, clock, "55.5")

    assert breaker.failures == 1


def test_suspected_failures_do_not_hide_those_that_are_certain() -> None:
    clock = Clock()
    breaker = by_rate(clock, fail_max=3)

    call(breaker, clock, "5x5x5x")

    assert breaker.state == "OPEN"


def test_a_service_is_not_examined_by_two_at_once_nor_again_and_again() -> None:
    clock = Clock()
    breaker = by_rate(clock, fail_max=3)
    call(breaker, clock, "55")

    assert breaker.acquire_permit().failed_by_answer(AWAY)
    assert not breaker.acquire_permit().failed_by_answer(AWAY)
    breaker.examined(None)
    call(breaker, clock, "55")
    assert not breaker.acquire_permit().failed_by_answer(AWAY)
    clock.now += 1
    assert breaker.acquire_permit().failed_by_answer(AWAY)


def test_a_trial_that_is_at_fault_itself_closes_the_breaker_of_a_service_that_is_well() -> None:
    clock = Clock()
    breaker = by_rate(clock, fail_max=1)
    call(breaker, clock, "x")
    clock.now += 60

    assert breaker.acquire_permit().failed_by_answer(AWAY)
    breaker.examined(None)
    assert breaker.state == "CLOSED"


def test_an_open_breaker_that_nobody_calls_closes_when_its_service_is_found_well_twice() -> None:
    clock = Clock()
    breaker = by_rate(clock, fail_max=3)
    call(breaker, clock, "xxx")
    assert not breaker.is_due()

    breaker.hasten_probe()
    assert breaker.is_due()
    breaker.probed(is_well=True)
    assert (breaker.state, breaker.is_due()) == ("HALF_OPEN", False)
    clock.now += 1
    assert breaker.is_due()
    breaker.probed(is_well=True)
    assert breaker.state == "CLOSED"


def test_a_breaker_closed_on_trust_opens_at_the_first_failure_and_not_after_a_success() -> None:
    clock = Clock()
    for outcomes, expected in (("x", "OPEN"), (".xx", "CLOSED"), (".xxx", "OPEN")):
        breaker = by_rate(clock, fail_max=3)
        call(breaker, clock, "xxx")
        clock.now += 60
        breaker.probed(is_well=True)
        breaker.probed(is_well=True)

        call(breaker, clock, outcomes)

        assert (outcomes, breaker.state) == (outcomes, expected)


def test_a_service_found_still_broken_is_left_alone_for_the_wait_without_an_event() -> None:
    clock = Clock()
    breaker = by_rate(clock, fail_max=1)
    call(breaker, clock, "x")
    events = breaker.events
    clock.now += 60

    breaker.probed(is_well=False)

    assert (breaker.state, breaker.seconds_to_probe(), breaker.events) == ("OPEN", 60, events)


def test_a_breaker_that_is_forced_open_is_not_due() -> None:
    breaker = CircuitBreaker("catalog-service", Live(BreakerSettings(reset_timeout_seconds=1e-9)))
    breaker.force_open()
    breaker.probed(is_well=True)

    assert (breaker.is_due(), breaker.state) == (False, "FORCED_OPEN")


def test_probing_can_be_left_to_the_callers() -> None:
    clock = Clock()
    never = {"automatic_transition_from_open_to_half_open_enabled": False}
    breaker = by_rate(clock, fail_max=1, **never)
    call(breaker, clock, "x")
    clock.now += 60

    assert not breaker.is_due()


def test_only_whoever_got_the_500_has_to_examine_the_service() -> None:
    clock = Clock()
    breaker = by_rate(clock)

    call(breaker, clock, "5..5..5...")  # the last call has completed the window
    assert breaker.state == "CLOSED"
    assert breaker.acquire_permit().failed_by_answer(AWAY)
