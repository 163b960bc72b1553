"""Circuit breaker (Michael Nygard, *Release It!*), with explicit permits as in resilience4j.

pybreaker counts and decides.  Its `call()` would hold its lock for the whole call and so line up
all callers behind a slow one; here a call acquires a permit first, happens without a lock, and its
outcome is recorded through pybreaker afterwards.
"""

import logging
import math
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pybreaker

from chassis.config.settings import BreakerSettings
from chassis.core.errors import CircuitOpen
from chassis.core.live import Live

log = logging.getLogger(__name__)

EVENTS_KEPT = 100
NAMES = {"closed": "CLOSED", "open": "OPEN", "half-open": "HALF_OPEN"}
FORCED_OPEN = "FORCED_OPEN"
DISABLED = "DISABLED"
PASSING = frozenset((NAMES[pybreaker.STATE_CLOSED], DISABLED))


@dataclass(frozen=True)
class CircuitBreakerEvent:
    breaker: str
    type: str
    at: datetime
    error: str | None = None
    duration_ms: int | None = None
    transition: str | None = None


class Permit:
    """For one call.  The first outcome that is recorded counts."""

    __slots__ = ("_breaker", "_is_probe", "_is_settled", "_started")

    def __init__(self, breaker: "CircuitBreaker", is_probe: bool) -> None:
        self._breaker = breaker
        self._is_probe = is_probe
        self._started = time.monotonic()
        self._is_settled = False

    def succeeded(self) -> None:
        self._record(None)

    def failed(self, error: BaseException) -> None:
        self._record(error)

    def close(self) -> None:
        """Without an outcome: the call did not take place, or says nothing about the service."""
        if not self._is_settled:
            self._is_settled = True
            self._breaker._give_back(self._is_probe)

    def _record(self, error: BaseException | None) -> None:
        if not self._is_settled:
            self._is_settled = True
            self._breaker._record(error, time.monotonic() - self._started, self._is_probe)


class _CalledServiceFailed(Exception):
    """Carries an outcome into pybreaker."""


class CircuitBreaker(pybreaker.CircuitBreakerListener):
    """One caller's view of one called service."""

    def __init__(self, name: str, settings: Live[BreakerSettings]) -> None:
        self.name = name
        self._settings = settings
        self._lock = threading.Lock()
        self._probe_running = False
        self._opened_at = 0.0
        self._forced: str | None = None
        self._followed: BreakerSettings | None = None
        self.state = NAMES[pybreaker.STATE_CLOSED]
        self._events: deque[CircuitBreakerEvent] = deque(maxlen=EVENTS_KEPT)
        self.calls = {"successful": 0, "failed": 0, "ignored": 0}
        self.seconds = {"successful": 0.0, "failed": 0.0, "ignored": 0.0}
        self.not_permitted = 0
        self._breaker = pybreaker.CircuitBreaker(name=name, listeners=[self])

    def acquire_permit(self) -> Permit:
        """For one call, or CircuitOpen at once.  When a probe is due, exactly one call gets it."""
        with self._lock:
            self._follow_settings()
            if self.state in PASSING:
                return Permit(self, is_probe=False)
            if self._probe_due():
                self._probe_running = True
                if self._breaker.current_state == pybreaker.STATE_OPEN:
                    self._breaker.half_open()
                return Permit(self, is_probe=True)
            self._note_refusal()
            raise CircuitOpen(
                f"{self.name} failed too often in a row and is not called for the moment."
                if self._forced is None
                else f"{self.name} is cut off on purpose.",
                retry_after=max(1, round(self.seconds_to_probe())),
            )

    def force_open(self) -> None:
        """Refuse every call, without a probe, until `reset`."""
        self._force(FORCED_OPEN)

    def disable(self) -> None:
        """Let every call through and count none, until `reset`."""
        self._force(DISABLED)

    def reset(self) -> None:
        """Closed, and on its own again."""
        with self._lock:
            self._forced = None
            self._probe_running = False
            self._breaker.close()
            self._show(NAMES[self._breaker.current_state])

    def hasten_probe(self) -> None:
        """A new instance is there: the next call may be the probe."""
        with self._lock:
            self._opened_at = -math.inf

    @property
    def failures(self) -> int:
        """Failures in a row so far."""
        return self._breaker.fail_counter

    @property
    def events(self) -> list[CircuitBreakerEvent]:
        with self._lock:
            return list(self._events)

    def seconds_to_probe(self) -> float:
        """0 when the next call may be the probe: a breaker turns half-open only at a call."""
        if self.state != NAMES[pybreaker.STATE_OPEN]:
            return 0.0
        return max(0.0, self._opened_at + self._breaker.reset_timeout - time.monotonic())

    def state_change(self, _breaker: Any, _old_state: Any, new_state: Any) -> None:
        """Called by pybreaker, under our lock."""
        if new_state.name == pybreaker.STATE_OPEN:
            self._opened_at = time.monotonic()
        self._show(self._forced or NAMES[new_state.name])

    def _show(self, state: str) -> None:
        if state != self.state:
            transition = f"{self.state}_TO_{state}"
            self.state = state
            self._note("STATE_TRANSITION", transition=transition)
            log.warning("circuit breaker %s: %s", self.name, transition)

    def _force(self, state: str) -> None:
        with self._lock:
            self._forced = state
            self._show(state)

    def _probe_due(self) -> bool:
        return self._forced is None and not self._probe_running and self.seconds_to_probe() == 0.0

    def _follow_settings(self) -> None:
        settings = self._settings.value
        if settings is not self._followed:
            self._followed = settings
            self._breaker.fail_max = settings.fail_max
            self._breaker.reset_timeout = settings.reset_timeout_seconds

    def _record(self, error: BaseException | None, elapsed: float, is_probe: bool) -> None:
        kind = "failed" if error else "successful"
        with self._lock:
            self._probe_running &= not is_probe
            if self._forced == DISABLED:
                return
            self.calls[kind] += 1
            self.seconds[kind] += elapsed
            if error:  # successes are counted only: a hundred of them would push out the news
                self._note("ERROR", error=str(error), duration_ms=round(elapsed * 1000))
            # A call that began before the circuit opened says nothing about its state now,
            # and a success after another success changes nothing.
            if is_probe or ((error or self.failures) and self._is_closed):
                self._record_in_pybreaker(error)

    @property
    def _is_closed(self) -> bool:
        """Whatever it is forced to be."""
        return bool(self._breaker.current_state == pybreaker.STATE_CLOSED)

    def _record_in_pybreaker(self, error: BaseException | None) -> None:
        def outcome() -> None:
            if error:
                raise _CalledServiceFailed(str(error))

        # The caller has the real error; this one is only to be counted.
        with suppress(_CalledServiceFailed, pybreaker.CircuitBreakerError):
            self._breaker.call(outcome)

    def _give_back(self, is_probe: bool) -> None:
        with self._lock:
            self._probe_running &= not is_probe
            self.calls["ignored"] += 1

    def _note_refusal(self) -> None:
        """All are counted, and the first of a row is an event: the others would push out news."""
        self.not_permitted += 1
        if not self._events or self._events[-1].type != "NOT_PERMITTED":
            self._note("NOT_PERMITTED")

    def _note(self, kind: str, **facts: Any) -> None:
        self._events.append(CircuitBreakerEvent(self.name, kind, datetime.now(UTC), **facts))


class CircuitBreakerRegistry:
    """All breakers of this process, by the called service's name."""

    def __init__(self, settings: Live[BreakerSettings]) -> None:
        self._settings = settings
        self._breakers: dict[str, CircuitBreaker] = {}

    def of(self, name: str) -> CircuitBreaker:
        known = self._breakers.get(name)
        # setdefault is atomic: two threads at once get the same one.
        return known or self._breakers.setdefault(name, CircuitBreaker(name, self._settings))

    def known(self, name: str) -> CircuitBreaker | None:
        return self._breakers.get(name)

    def all(self) -> list[CircuitBreaker]:
        return list(self._breakers.values())

    def hasten_probe(self, name: str) -> None:
        breaker = self._breakers.get(name)
        if breaker is not None:
            breaker.hasten_probe()
