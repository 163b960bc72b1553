"""Circuit breaker (Michael Nygard, *Release It!*), with explicit permits as in resilience4j.

pybreaker counts failures in a row and holds the state; beside it a sliding window opens the breaker
by the rate of failures and of slow calls.  pybreaker's `call()` would hold its lock for the whole
call and so line up all callers behind a slow one; here a call acquires a permit first, happens
without a lock, and its outcome is recorded through pybreaker afterwards.

A failure by answer (a 500) may be the fault of its request, and whoever has found such a request
must not switch the service off for everybody: before it opens by such failures the breaker wants
the service examined (`chassis.resilience.examination`).
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pybreaker

from chassis.config.breaker_settings import BreakerSettings
from chassis.core.errors import CircuitOpen
from chassis.core.live import Live
from chassis.resilience import circuit_breaker_states as states
from chassis.resilience.call_rates import CallRates, Verdict
from chassis.resilience.circuit_breaker_events import CircuitBreakerEvent, CircuitBreakerJournal
from chassis.resilience.permit import Permit
from chassis.resilience.sliding_window import SLOW, SUCCEEDED, SUSPECTED, WindowFigures

log = logging.getLogger(__name__)

# A service that has just been found well is not examined again at once.
EXAMINED_AGAIN_SECONDS = 1.0
# So long a half-open breaker waits for a call that decides.
TRIAL_SECONDS = 1.0


class CircuitBreaker(pybreaker.CircuitBreakerListener):
    """One caller's view of one called service."""

    def __init__(
        self,
        name: str,
        settings: Live[BreakerSettings],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        # Set by whoever calls the service; raises Unavailable when no instance of it is well.
        self.find_a_well_one: Callable[[], None] | None = None
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._trial_calls = 0
        self._opened_at = 0.0
        self._examined_at = -math.inf
        self._is_examining = False
        self._half_open_at = 0.0
        self._suspected_in_a_row = 0
        self._on_trust = False
        self._forced: str | None = None
        self.state = states.CLOSED
        self._journal = CircuitBreakerJournal(name)
        self.calls, self.seconds = self._journal.calls, self._journal.seconds
        self._breaker = pybreaker.CircuitBreaker(name=name, listeners=[self])
        self._followed = settings.value
        self._rates = CallRates(self._followed)
        self._follow_settings(settings.value)

    def acquire_permit(self) -> Permit:
        """For one call, or CircuitOpen at once.

        When a trial is due, as many calls get it as the half-open state permits.
        """
        with self._lock:
            if self._settings.value is not self._followed:
                self._follow_settings(self._settings.value)
            if self.state in states.PASSING:
                return Permit(self, False, self._clock())
            if self._trial_due():
                if self._breaker.current_state == pybreaker.STATE_OPEN:
                    self._breaker.half_open()
                self._trial_calls += 1
                return Permit(self, True, self._clock())
            self._journal.count_refusal()
            raise CircuitOpen(
                f"{self.name} failed too often and is not called for the moment."
                if self._forced is None
                else f"{self.name} is cut off on purpose.",
                retry_after=max(1, round(self.seconds_to_probe())),
            )

    def force_open(self) -> None:
        """Refuse every call, without a probe, until `reset`."""
        with self._lock:
            self._forced = states.FORCED_OPEN
            self._show(self._forced)

    def disable(self) -> None:
        """Let every call through and count none, until `reset`."""
        with self._lock:
            self._forced = states.DISABLED
            self._show(self._forced)

    def reset(self) -> None:
        """Closed, and on its own again."""
        with self._lock:
            self._forced = None
            self._breaker.close()
            self._show(states.NAMES[self._breaker.current_state])

    def hasten_probe(self) -> None:
        """A new instance is there: the next call may be the probe."""
        with self._lock:
            self._opened_at = -math.inf

    def is_due(self) -> bool:
        """Whether to find out if the service is back, as nobody who calls has done it."""
        with self._lock:
            if not self._followed.automatic_transition_from_open_to_half_open_enabled:
                return False
            if self.state == states.HALF_OPEN:
                return not self._trial_calls and self._clock() - self._half_open_at >= TRIAL_SECONDS
            return self.state == states.OPEN and self._trial_due()

    def probed(self, is_well: bool) -> None:
        """What asking has shown when it was due.

        Well once: half-open, and the next call decides.  Well again while nobody has called:
        closed, on trust, which ends with the first failure.
        """
        with self._lock:
            if self._forced or self._trial_calls or self.state == states.CLOSED:
                return
            if not is_well:
                if self.state == states.HALF_OPEN:
                    self._breaker.open()
                elif self._opened_at > -math.inf:  # one that has come may take a moment more
                    self._opened_at = self._clock()
            elif self.state == states.OPEN:
                self._breaker.half_open()
            else:
                self._breaker.close()
                self._on_trust = True
                self._limit_failures_in_a_row()

    def examined(self, error: BaseException | None) -> None:
        """The verdict on the suspected failures: the service's fault with `error`, else not."""
        with self._lock:
            self._is_examining = False
            self._examined_at = self._clock()
            if error is None:
                self._suspected_in_a_row = 0
                self._rates.forgive()
                if self._breaker.current_state == pybreaker.STATE_HALF_OPEN:
                    self._breaker.close()
            elif self._forced is None and self._breaker.current_state != pybreaker.STATE_OPEN:
                self._journal.add("ERROR", error=str(error))
                self._breaker.open()

    @property
    def failures(self) -> int:
        """Failures in a row so far."""
        return self._breaker.fail_counter + self._suspected_in_a_row

    @property
    def window(self) -> WindowFigures:
        with self._lock:
            return self._rates.figures(self._clock())

    @property
    def settings(self) -> BreakerSettings:
        return self._settings.value

    @property
    def events(self) -> list[CircuitBreakerEvent]:
        with self._lock:
            return list(self._journal.events)

    @property
    def durations(self) -> list[int]:
        """How many calls took so long, by DURATION_BOUNDS."""
        return list(self._journal.durations)

    @property
    def not_permitted(self) -> int:
        return self._journal.not_permitted

    def seconds_to_probe(self) -> float:
        """0 when the next call may be the probe."""
        if self.state != states.OPEN:
            return 0.0
        return max(0.0, self._opened_at + self._followed.wait_seconds - self._clock())

    def state_change(self, _breaker: Any, _old_state: Any, new_state: Any) -> None:
        """Called by pybreaker, under our lock."""
        state = states.NAMES[new_state.name]
        if state == states.OPEN:
            self._opened_at = self._clock()
        elif state == states.HALF_OPEN:
            self._trial_calls, self._half_open_at = 0, self._clock()
            self._rates.begin_trial()
        else:
            self._rates.begin()
            self._suspected_in_a_row = 0
        self._end_trust()
        self._show(self._forced or state)

    def _show(self, state: str) -> None:
        if state != self.state:
            transition = f"{self.state}_TO_{state}"
            self.state = state
            self._journal.add("STATE_TRANSITION", transition=transition)
            log.warning("circuit breaker %s: %s", self.name, transition)

    def _trial_due(self) -> bool:
        if self._forced is not None or self.seconds_to_probe() > 0.0:
            return False
        return self.state == states.OPEN or self._trial_calls < self._followed.calls_of_a_trial

    def _follow_settings(self, settings: BreakerSettings) -> None:
        self._followed = settings
        self._rates.follow(settings)
        self._limit_failures_in_a_row()
        self._breaker.reset_timeout = settings.wait_seconds

    def _limit_failures_in_a_row(self) -> None:
        self._breaker.fail_max = 1 if self._on_trust else self._followed.fail_max

    def _end_trust(self) -> None:
        if self._on_trust:
            self._on_trust = False
            self._limit_failures_in_a_row()

    def record(
        self,
        error: BaseException | None,
        outcome: int,
        started: float,
        is_trial: bool,
        weight: int = 1,
    ) -> bool:
        """Count it, as often as `weight` says; True when the service is to be examined."""
        with self._lock:
            if self._forced == states.DISABLED:
                return False
            now = self._clock()
            elapsed = now - started
            self._journal.count(error, elapsed)
            if elapsed > self._followed.slow_call_duration_threshold and outcome != SUSPECTED:
                outcome |= SLOW
            # A call that began before the circuit opened says nothing about its state now.
            if self.state == states.CLOSED and weight == 1:
                return self._record_while_closed(error, outcome, now)
            state = self._breaker.current_state
            if state == pybreaker.STATE_CLOSED:
                return any(self._record_while_closed(error, outcome, now) for _ in range(weight))
            if is_trial and state == pybreaker.STATE_HALF_OPEN:
                return self._record_trial(outcome, now)
            return False

    def _record_while_closed(self, error: BaseException | None, outcome: int, now: float) -> bool:
        if self.state != states.CLOSED and self._breaker.current_state != pybreaker.STATE_CLOSED:
            return False
        self._rates.add(outcome, now)
        if outcome == SUSPECTED:
            self._suspected_in_a_row += 1
        elif error or self.failures:  # a success after another success changes nothing
            self._suspected_in_a_row *= error is not None
            states.record_in(self._breaker, error)
        if outcome == SUCCEEDED:
            self._end_trust()
            if not self._rates.has_faults:
                return False
        if self._breaker.current_state != pybreaker.STATE_CLOSED:
            return False
        verdict = self._rates.verdict(now)
        if verdict is Verdict.BROKEN:
            self._breaker.open()
        if outcome != SUSPECTED:
            return False
        is_doubtful = verdict is Verdict.DOUBTFUL or self.failures >= self._breaker.fail_max
        return is_doubtful and self._begin_examination()

    def _record_trial(self, outcome: int, now: float) -> bool:
        verdict = self._rates.verdict_of_trial(outcome, now)
        if verdict is None:
            return False
        if verdict is Verdict.DOUBTFUL and outcome == SUSPECTED:
            self._is_examining = True
            return True
        move = self._breaker.open if verdict is Verdict.BROKEN else self._breaker.close
        move()
        return False

    def _begin_examination(self) -> bool:
        """One at a time, and not again and again."""
        if self._is_examining or self._clock() - self._examined_at < EXAMINED_AGAIN_SECONDS:
            return False
        self._is_examining = True
        return True

    def give_back(self, is_trial: bool) -> None:
        with self._lock:
            if is_trial:
                self._trial_calls = max(0, self._trial_calls - 1)
            self.calls["ignored"] += 1
