"""Filters that say who else is called: CircuitBreaker's fallback, Shadow."""

from dataclasses import dataclass

from gateway.routing import target as targets
from gateway.routing.filters.paths import absolute
from gateway.routing.filters.statuses import status
from gateway.routing.syntax.arguments import Arguments
from gateway.routing.target import Target

FORWARD = "forward:"


@dataclass(frozen=True, slots=True)
class CircuitBreakerFilter:
    """`forward` is a path to look for another route with, `fallback` another service."""

    name: str
    forward: str | None = None
    fallback: Target | None = None
    statuses: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class MirrorTarget:
    """A `share` (0 to 1) of requests is sent to `target` as well, and its answers are dropped."""

    target: Target
    share: float

    def takes(self, method: str, random_draw: float) -> bool:
        """Only what does nothing twice: a mirrored order would be a second order."""
        return method in ("GET", "HEAD") and random_draw < self.share


def circuit_breaker(arguments: Arguments) -> CircuitBreakerFilter:
    name, fallback = arguments.text("name"), arguments.text("fallbackUri", "")
    statuses = (
        frozenset(arguments.read_all("statusCodes", status))
        if "statusCodes" in arguments
        else frozenset()
    )
    if statuses and not fallback:
        raise ValueError("statusCodes: have no meaning without a fallbackUri")
    if not fallback.startswith(FORWARD):
        return CircuitBreakerFilter(
            name, None, arguments.read("fallbackUri", targets.parse) if fallback else None, statuses
        )
    forward = arguments.read("fallbackUri", lambda text: absolute(text.removeprefix(FORWARD)))
    return CircuitBreakerFilter(name, forward, None, statuses)


def mirror_target(arguments: Arguments) -> MirrorTarget:
    return MirrorTarget(arguments.read("uri", targets.parse), arguments.fraction("share"))
