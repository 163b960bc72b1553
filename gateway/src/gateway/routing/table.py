"""The routes of one configuration, arranged so that a request looks at few of them."""

import random
from collections.abc import Callable, Sequence

from gateway.routing import weights
from gateway.routing.request_view import RequestView
from gateway.routing.route import Route
from gateway.routing.syntax import patterns

Weigh = Callable[[Route], int]


def as_configured(route: Route) -> int:
    return route.weight.weight if route.weight else 0


class RouteTable:
    """Routes by the first segment of their paths; those that begin with a pattern are in each.

    `weigh` says what a route weighs at the moment, and `random_draw` draws a number from 0 to 1.
    """

    def __init__(
        self,
        routes: Sequence[Route],
        weigh: Weigh = as_configured,
        random_draw: Callable[[], float] = random.random,
    ) -> None:
        self.routes = tuple(routes)
        self._weigh = weigh
        self._random_draw = random_draw
        self._groups: dict[str, list[Route]] = {}
        for route in routes:
            if route.weight:
                self._groups.setdefault(route.weight.group, []).append(route)
        begins = [(route, _first_segments(route)) for route in routes]
        self._others = tuple(route for route, firsts in begins if None in firsts)
        named = {first for _, firsts in begins for first in firsts if first is not None}
        self._index = {
            name: tuple(route for route, firsts in begins if name in firsts or None in firsts)
            for name in named
        }

    def find(self, view: RequestView) -> Route | None:
        """The first route that takes a request; `%2F` in its path does not end a segment."""
        path = view.path
        end = path.find("/", 1)
        first = path[1:end] if end > 0 else path[1:]
        picked: dict[str, str | None] = {}
        for route in self._index.get(first, self._others):
            if route.takes(view) and (route.weight is None or self._is_picked(route, view, picked)):
                return route
        return None

    def _is_picked(self, route: Route, view: RequestView, picked: dict[str, str | None]) -> bool:
        """Of a group one is picked for the whole request, as Spring does."""
        group = route.weight.group if route.weight else ""
        if group not in picked:
            picked[group] = self._pick(group, view)
        return picked[group] == route.id

    def _pick(self, group: str, view: RequestView) -> str | None:
        members = [(route.id, self._weigh(route)) for route in self._groups[group]]
        key = self._key(group, view)
        return (
            weights.by_random_draw(members, self._random_draw())
            if key is None
            else weights.by_key(members, key)
        )

    def _key(self, group: str, view: RequestView) -> str | None:
        for route in self._groups[group]:
            if route.weight and route.weight.sticky:
                return route.weight.sticky.of(view)
        return None


def _first_segments(route: Route) -> set[str | None]:
    """None for a route that may take a path with any first segment.

    Several Path predicates of one route must all hold, so the first is enough to look it up.
    """
    paths = next((predicate.paths for predicate in route.predicates if predicate.paths), None)
    return {None} if paths is None else {patterns.first_segment(path) for path in paths}
