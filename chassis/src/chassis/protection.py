"""What stands between this process and one called service: breaker, bulkhead and retry budget."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chassis.breaker import Breaker, Breakers, Permit
from chassis.bulkhead import Bulkhead
from chassis.retries import RetryBudget
from chassis.settings import Fusebox


class Protection:
    def __init__(self, breaker: Breaker, settings: Callable[[], Fusebox]) -> None:
        self.breaker = breaker
        self._bulkhead = Bulkhead(breaker.name, lambda: settings().bulkhead)
        self.retries = RetryBudget(lambda: settings().retry)

    @contextmanager
    def admitted(self) -> Iterator[Permit]:
        """Leave for one call, whose outcome is to be told to the permit.

        One of which nothing is told did not take place, or says nothing about the called service.
        Raises CircuitOpen or Overloaded: refusals of our own, which no breaker counts.
        """
        permit = self.breaker.admit()
        try:
            with self._bulkhead.place():
                self.retries.called()
                yield permit
        finally:
            permit.close()


class Protections:
    """Those of this process, by the called service's name."""

    def __init__(self, breakers: Breakers, settings: Callable[[], Fusebox]) -> None:
        self._breakers = breakers
        self._settings = settings
        self._known: dict[str, Protection] = {}

    def of(self, service: str) -> Protection:
        found = self._known.get(service)
        # setdefault is atomic: of two threads that ask first, both get the same one.
        return found or self._known.setdefault(
            service, Protection(self._breakers.of(service), self._settings)
        )
