"""Weighted routes that lose their weight by themselves when too many of their calls fail."""

import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from chassis.core.errors import (
    IGNORED_BY_BREAKERS,
    CircuitOpen,
    DeadlineOver,
    Overloaded,
    Unavailable,
)
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.routing.route import Route
from gateway.routing.target import Target
from gateway.routing.weights import CanaryRollback, Weight

log = logging.getLogger(__name__)

# A window is forgotten slice by slice, so that its cost does not grow with the traffic.
SLICES = 10


class Window:
    """Calls and failures of the last so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._slice = seconds / SLICES
        self._slices: deque[list[int]] = deque(maxlen=SLICES)

    def count(self, now: float, failed: bool) -> None:
        number = int(now / self._slice)
        self._forget(number)
        if not self._slices or self._slices[-1][0] != number:
            self._slices.append([number, 0, 0])
        self._slices[-1][1] += 1
        self._slices[-1][2] += failed

    def figures(self, now: float) -> tuple[int, int]:
        """Calls, and those of them that failed."""
        self._forget(int(now / self._slice))
        return sum(other[1] for other in self._slices), sum(other[2] for other in self._slices)

    def _forget(self, number: int) -> None:
        while self._slices and self._slices[0][0] <= number - SLICES:
            self._slices.popleft()


class Canary:
    """One route under watch: it has its weight until it relapses, and then none."""

    def __init__(self, rollback: CanaryRollback, breaker: str) -> None:
        self.breaker = breaker
        self._rollback = rollback
        self._window = Window(rollback.window_seconds)
        self.is_rolled_back = False

    def record(self, now: float, failed: bool) -> bool:
        """Count a call; True when it was one too many."""
        if self.is_rolled_back:
            return False
        self._window.count(now, failed)
        self.is_rolled_back = failed and self._is_too_much(now)
        return self.is_rolled_back

    def figures(self, now: float) -> tuple[int, int]:
        return self._window.figures(now)

    def _is_too_much(self, now: float) -> bool:
        calls, failures = self._window.figures(now)
        rollback = self._rollback
        return calls >= rollback.min_calls and failures > calls * rollback.max_error_share


class Canaries:
    """Those of this gateway, by the route's name.  A route whose weight is set anew starts anew.

    `is_there` says whether anybody answers for a target: a canary that has died gets nothing.
    `forget` is told the circuit breakers of canaries that have ended or start anew.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        is_there: Callable[[Target], bool] = lambda _: True,
        forget: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._clock = clock
        self._forget = forget
        self._is_there = is_there
        self._known: dict[str, tuple[Weight, Target, Canary]] = {}
        self._routes: tuple[Route, ...] = ()

    def follow(self, routes: Iterable[Route]) -> None:
        """From now on these are the routes."""
        before, self._routes = self._known, tuple(routes)
        self._known = {
            route.id: self._watched(route, route.weight, route.weight.rollback)
            for route in self._routes
            if route.weight and route.weight.rollback
        }
        shared = {route.breaker_name for route in self._routes if route.id not in self._known}
        for name, (_, _, canary) in before.items():
            now = self._known.get(name)
            if (now is None or now[2] is not canary) and canary.breaker not in shared:
                self._forget(canary.breaker)

    def weigh(self, route: Route) -> int:
        """What `route` weighs at the moment."""
        weight, known = route.weight, self._known.get(route.id)
        if weight is None:
            return 0
        if known and (known[2].is_rolled_back or not self._is_there(route.target)):
            return 0
        if weight.is_reserve and not weight.weight and not self._others_weigh(route):
            return 1
        return weight.weight

    def rolled_back(self) -> list[str]:
        """The routes that have lost their weight."""
        return [name for name, (_, _, canary) in self._known.items() if canary.is_rolled_back]

    def record(self, route: Route, failed: bool) -> None:
        """The outcome of a call by `route`."""
        known = self._known.get(route.id)
        if known and self._others_weigh(route) and known[2].record(self._clock(), failed):
            calls, failures = known[2].figures(self._clock())
            log.warning(
                "route %s: %d of %d calls failed: its weight is 0 until it is set anew",
                *(route.id, failures, calls),
            )

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        if exchange.route.id not in self._known:
            return proceed(exchange)
        return self._recorded(exchange, proceed)

    async def _recorded(self, exchange: Exchange, proceed: Handler) -> GatewayResponse:
        """Records what came of a call, unless that says nothing about the service.

        While the breaker of a canary is open, the usual version answers for it.
        """
        route = exchange.route
        try:
            response = await proceed(exchange)
        except CircuitOpen:
            usual = self._usual(route)
            if usual is None:
                raise
            # Nothing has been sent, so that even a body that streams is whole.
            instead = exchange.by(usual, exchange.view).under(exchange.conditions)
            return await proceed(instead)
        except (DeadlineOver, Overloaded):
            raise
        except Unavailable as failure:
            if not isinstance(failure, IGNORED_BY_BREAKERS):
                self.record(route, failed=True)
            raise
        self.record(route, failed=response.status >= 500)
        return response

    def described(self, route: Route) -> dict[str, Any]:
        """What the actuator shows of a weighted route beside the configuration."""
        if route.weight is None:
            return {}
        described: dict[str, Any] = {
            "group": route.weight.group,
            "configured": route.weight.weight,
            "current": self.weigh(route),
        }
        if known := self._known.get(route.id):
            described["calls"], described["failures"] = known[2].figures(self._clock())
            described["relapsed"] = known[2].is_rolled_back
        return {"weight": described}

    def _watched(
        self, route: Route, weight: Weight, rollback: CanaryRollback
    ) -> tuple[Weight, Target, Canary]:
        known = self._known.get(route.id)
        same = known and known[:2] == (weight, route.target)
        return (
            known
            if known and same
            else (
                weight,
                route.target,
                Canary(rollback, route.breaker_name),
            )
        )

    def _usual(self, route: Route) -> Route | None:
        """Who answers instead of `route`, if that is a canary."""
        if route.id not in self._known or route.weight is None:
            return None
        group = [other for other in self._routes if other.weight and other.id not in self._known]
        return next((o for o in group if o.weight and o.weight.group == route.weight.group), None)

    def _others_weigh(self, route: Route) -> bool:
        """Without them a weight of 0 would leave nobody to answer."""
        group = route.weight and route.weight.group
        return any(
            other.weight.is_reserve or self.weigh(other) > 0
            for other in self._routes
            if other.weight and other.weight.group == group and other.id != route.id
        )
