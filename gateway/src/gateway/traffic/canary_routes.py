"""A second version of a service beside the first: every route to it becomes two weighted ones."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import Field, PlainValidator

from chassis.config.settings import Count, Positive, Section
from gateway.routing import target as targets
from gateway.routing import weights
from gateway.routing.route import Route
from gateway.routing.weights import CanaryRollback, ClientKey, Weight

ALL = 100


class CanarySettings(Section):
    """`weight` is the canary's share in per cent.  A new `attempt` forgets that it has failed."""

    weight: int = Field(0, ge=0, le=ALL)
    sticky: Annotated[ClientKey | None, PlainValidator(weights.key)] = None
    max_error_share: float = Field(0.2, ge=0, le=1)
    # By hand it is hard to send more within the window.
    min_calls: Count = 5
    window_seconds: Positive = 60
    attempt: str = ""

    def rollback(self) -> CanaryRollback:
        return CanaryRollback(
            self.max_error_share, self.min_calls, self.window_seconds, self.attempt
        )


def split(routes: Iterable[Route], canaries: Mapping[str, CanarySettings]) -> tuple[Route, ...]:
    """`routes`, and right after each that leads to a service on trial one to its canary."""
    return tuple(part for route in routes for part in _parts(route, canaries.get(route.service)))


def _parts(route: Route, canary: CanarySettings | None) -> tuple[Route, ...]:
    whole = route.weight is None and route.target.is_balanced and not route.target.metadata
    if canary is None or not canary.weight or not whole:
        return (route,)
    group = f"{route.id}-canary"
    usual = Weight(group, ALL - canary.weight, canary.sticky, is_reserve=True)
    tried = Weight(group, canary.weight, canary.sticky, canary.rollback())
    return replace(route, weight=usual), _to_canary(route, tried)


def _to_canary(route: Route, weight: Weight) -> Route:
    """Its breaker is its own, lest its errors cut off the others."""
    target = targets.parse(f"lb://{route.service}?canary=true")
    own = route.breaker and replace(route.breaker, name=f"{route.breaker.name}@canary")
    return replace(route, id=weight.group, target=target, weight=weight, breaker=own)
