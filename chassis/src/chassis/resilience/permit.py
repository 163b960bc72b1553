"""The leave for one call (Resilience4j: acquirePermission), on which its outcome is recorded."""

from typing import Protocol

from chassis.resilience.sliding_window import FAILED, SUCCEEDED, SUSPECTED

# Said by whatever stands before a service that never got to work.
NOT_DONE = (502, 503, 504)


class Recorder(Protocol):
    """The circuit breaker that has given the permit."""

    def record(
        self,
        error: BaseException | None,
        outcome: int,
        started: float,
        is_trial: bool,
        weight: int,
    ) -> bool: ...

    def give_back(self, is_trial: bool) -> None: ...


class Permit:
    """For one call.  The first outcome that is recorded counts.

    `weight` is the number of requests that the call is made for: as many would have called.
    """

    __slots__ = ("_breaker", "_is_settled", "_is_trial", "_started", "weight")

    def __init__(self, breaker: Recorder, is_trial: bool, started: float) -> None:
        self._breaker = breaker
        self._is_trial = is_trial
        self._started = started
        self._is_settled = False
        self.weight = 1

    def succeeded(self) -> None:
        self._record(None, SUCCEEDED)

    def failed(self, error: BaseException) -> None:
        """The service did not do its work: it refused, was too slow, or said so itself."""
        self._record(error, FAILED)

    def failed_by_answer(self, error: BaseException) -> bool:
        """It answered 500, which may be the request's fault.

        True when the service is to be examined now, and the verdict is to be given to the breaker.
        """
        return self._record(error, SUSPECTED)

    def close(self) -> None:
        """Without an outcome: the call did not take place, or says nothing about the service."""
        if not self._is_settled:
            self._is_settled = True
            self._breaker.give_back(self._is_trial)

    def _record(self, error: BaseException | None, outcome: int) -> bool:
        if self._is_settled:
            return False
        self._is_settled = True
        return self._breaker.record(error, outcome, self._started, self._is_trial, self.weight)
