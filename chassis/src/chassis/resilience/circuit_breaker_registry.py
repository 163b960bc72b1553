"""All circuit breakers of a process, by the called service's name."""

from collections.abc import Callable

from chassis.config.breaker_settings import BreakerSettings
from chassis.core.live import Live
from chassis.resilience.circuit_breaker import CircuitBreaker


class CircuitBreakerRegistry:
    """`settings_of` gives what holds for one breaker, if there is more than the general."""

    def __init__(
        self,
        settings: Live[BreakerSettings],
        settings_of: Callable[[str], Live[BreakerSettings]] | None = None,
    ) -> None:
        self._settings_of = settings_of or (lambda _name: settings)
        self._breakers: dict[str, CircuitBreaker] = {}

    def of(self, name: str) -> CircuitBreaker:
        known = self._breakers.get(name)
        # setdefault is atomic: two threads at once get the same one.
        return known or self._breakers.setdefault(
            name, CircuitBreaker(name, self._settings_of(name))
        )

    def known(self, name: str) -> CircuitBreaker | None:
        return self._breakers.get(name)

    def forget(self, name: str) -> None:
        """Whoever it was for is called no more."""
        self._breakers.pop(name, None)

    def all(self) -> list[CircuitBreaker]:
        return list(self._breakers.values())

    def hasten_probe(self, name: str) -> None:
        """An instance of service `name` has come: every breaker for one of its versions, too."""
        for known, breaker in list(self._breakers.items()):
            if known.partition("@")[0] == name:
                breaker.hasten_probe()
