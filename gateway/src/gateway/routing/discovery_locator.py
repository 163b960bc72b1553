"""Routes for services that nobody has written one for: discovery knows them, so they are open."""

from collections.abc import Callable, Collection

from gateway.routing import route_definitions
from gateway.routing.request_view import RequestView
from gateway.routing.route import Route
from gateway.routing.route_definitions import NO_DEFAULTS, RouteDefaults
from gateway.routing.target import SERVICE


class DiscoveryLocator:
    """Spring's way: `/{service}/**` leads to `lb://{service}`, with the first segment taken off."""

    def __init__(self, services: Callable[[], Collection[str]]) -> None:
        self._services = services
        self._defaults = NO_DEFAULTS
        self._made: dict[str, Route] = {}

    def follow(self, defaults: RouteDefaults) -> None:
        """From now on routes have these beside their own."""
        self._defaults = defaults
        self._made = {}

    def find(self, view: RequestView, hidden: Collection[str]) -> Route | None:
        service = view.path[1:].partition("/")[0]
        known = service in self._services() and _is_open(service, hidden)
        return self._route(service) if known else None

    def all(self, hidden: Collection[str]) -> list[Route]:
        services = sorted(service for service in self._services() if _is_open(service, hidden))
        return [self._route(service) for service in services]

    def _route(self, service: str) -> Route:
        if service not in self._made:
            self._made[service] = _made_for(service, self._defaults)
        return self._made[service]


def _is_open(service: str, hidden: Collection[str]) -> bool:
    """A foreigner may have a name that no address could have."""
    return service not in hidden and SERVICE.fullmatch(service) is not None


def _made_for(service: str, defaults: RouteDefaults) -> Route:
    entry = {
        "id": f"discovery:{service}",
        "uri": f"lb://{service}",
        "predicates": [f"Path=/{service}/**"],
        "filters": ["StripPrefix=1"],
    }
    return route_definitions.parse([entry], defaults)[0]
