"""What stands between this process and one called service: breaker, bulkhead and retry budget."""

from collections.abc import Callable

from chassis.config.settings import Fusebox
from chassis.core.errors import Overloaded
from chassis.resilience.bulkhead import Bulkhead
from chassis.resilience.circuit_breaker import CircuitBreaker, CircuitBreakerRegistry, Permit
from chassis.resilience.retry_budget import RetryBudget


class ResiliencePolicy:
    def __init__(self, breaker: CircuitBreaker, settings: Callable[[], Fusebox]) -> None:
        self.breaker = breaker
        self.bulkhead = Bulkhead(breaker.name, lambda: settings().bulkhead)
        self.retries = RetryBudget(lambda: settings().retry)

    def permit(self) -> "PermittedCall":
        """Leave for one call, whose outcome is to be told to the permit.

        One of which nothing is told did not take place, or says nothing about the called service.
        Raises CircuitOpen or Overloaded: refusals of our own, which no breaker counts.
        """
        return PermittedCall(self)


class PermittedCall:
    """A class, for a generator would cost twice as much at each call."""

    __slots__ = ("_permit", "_policy")

    def __init__(self, protection: ResiliencePolicy) -> None:
        self._policy = protection

    def __enter__(self) -> Permit:
        permit = self._permit = self._policy.breaker.admit()
        try:
            self._policy.bulkhead.enter()
        except Overloaded:
            permit.close()
            raise
        self._policy.retries.called()
        return permit

    def __exit__(self, *_: object) -> None:
        self._policy.bulkhead.leave()
        self._permit.close()


class ResiliencePolicies:
    """Those of this process, by the called service's name."""

    def __init__(self, breakers: CircuitBreakerRegistry, settings: Callable[[], Fusebox]) -> None:
        self._breakers = breakers
        self._settings = settings
        self._known: dict[str, ResiliencePolicy] = {}

    def of(self, service: str) -> ResiliencePolicy:
        found = self._known.get(service)
        # setdefault is atomic: of two threads that ask first, both get the same one.
        return found or self._known.setdefault(
            service, ResiliencePolicy(self._breakers.of(service), self._settings)
        )
