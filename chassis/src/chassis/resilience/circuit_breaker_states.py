"""The states of a circuit breaker by Resilience4j's names, and how an outcome moves it."""

from contextlib import suppress

import pybreaker

CLOSED, OPEN, HALF_OPEN = "CLOSED", "OPEN", "HALF_OPEN"
NAMES = {
    pybreaker.STATE_CLOSED: CLOSED,
    pybreaker.STATE_OPEN: OPEN,
    pybreaker.STATE_HALF_OPEN: HALF_OPEN,
}
FORCED_OPEN = "FORCED_OPEN"
DISABLED = "DISABLED"
PASSING = frozenset((CLOSED, DISABLED))


class _CalledServiceFailed(Exception):
    """Carries an outcome into pybreaker."""


def record_in(breaker: pybreaker.CircuitBreaker, error: BaseException | None) -> None:
    """Count an outcome, which may open or close it."""

    def outcome() -> None:
        if error:
            raise _CalledServiceFailed(str(error))

    # The caller has the real error; this one is only to be counted.
    with suppress(_CalledServiceFailed, pybreaker.CircuitBreakerError):
        breaker.call(outcome)
