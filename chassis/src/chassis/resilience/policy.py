"""A resilience policy for each called service: circuit breaker, bulkhead and retry budget."""

from chassis.config.settings import Fusebox
from chassis.core.errors import Overloaded
from chassis.core.live import Live
from chassis.resilience.bulkhead import Bulkhead
from chassis.resilience.circuit_breaker import CircuitBreaker
from chassis.resilience.circuit_breaker_registry import CircuitBreakerRegistry
from chassis.resilience.permit import Permit
from chassis.resilience.retry_budget import RetryBudget


class ResiliencePolicy:
    def __init__(self, breaker: CircuitBreaker, settings: Live[Fusebox]) -> None:
        self.breaker = breaker
        self.bulkhead = Bulkhead(breaker.name, settings.map(lambda fusebox: fusebox.bulkhead))
        self.retries = RetryBudget(settings.map(lambda fusebox: fusebox.retry))

    def permit(self) -> "PermittedCall":
        """A permit for one call, on which its outcome is to be recorded.

        A call without an outcome did not take place, or says nothing about the called service.
        Raises CircuitOpen or Overloaded: refusals of our own, which no breaker counts.
        """
        return PermittedCall(self)


class PermittedCall:
    """A class, for a generator would cost twice as much at each call."""

    __slots__ = ("_permit", "_policy")

    def __init__(self, policy: ResiliencePolicy) -> None:
        self._policy = policy

    def __enter__(self) -> Permit:
        permit = self._permit = self._policy.breaker.acquire_permit()
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

    def __init__(self, breakers: CircuitBreakerRegistry, settings: Live[Fusebox]) -> None:
        self._breakers = breakers
        self._settings = settings
        self._known: dict[str, ResiliencePolicy] = {}

    def of(self, service: str) -> ResiliencePolicy:
        known = self._known.get(service)
        # setdefault is atomic: two threads at once get the same one.
        return known or self._known.setdefault(
            service, ResiliencePolicy(self._breakers.of(service), self._settings)
        )

    def forget(self, service: str) -> None:
        """What was called by this name is called no more."""
        self._known.pop(service, None)
        self._breakers.forget(service)
