"""All rules of the gateway as they are configured now, and what they remember between requests."""

import time
from collections.abc import Callable, Collection
from typing import Any

from chassis.core.live import Live
from gateway.cache.store import CacheBounds, ResponseCache
from gateway.routing.discovery_locator import DiscoveryLocator
from gateway.routing.exchange import Exchange
from gateway.routing.rate_limit import Rate, RateDecision, TokenBuckets
from gateway.routing.request_view import RequestView
from gateway.routing.route import NO_ROUTE, Route
from gateway.routing.syntax import patterns
from gateway.routing.table import RouteTable
from gateway.routing.target import Target
from gateway.security import blocklist
from gateway.security.cors import CorsDecision
from gateway.security.forwarded import TrustedProxies
from gateway.security.path_normalization import other_reading
from gateway.security.rate_policies import ShopRates
from gateway.settings import GatewaySettings
from gateway.traffic import canary_routes
from gateway.traffic.canary_rollback import Canaries


class GatewayRules:
    """Follows the settings: whatever they come to is made once, and then serves many requests."""

    def __init__(
        self,
        settings: Live[GatewaySettings],
        clock: Callable[[], float] = time.monotonic,
        is_there: Callable[[Target], bool] = lambda _: True,
        services: Callable[[], Collection[str]] = tuple,
        forget_breaker: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`services` are those that discovery knows, and `is_there` whether one has anybody.

        `forget_breaker` is called with the breaker of a canary that has ended.
        """
        self._settings = settings
        self._clock = clock
        self.canaries = Canaries(clock, is_there, forget_breaker)
        self._locator = DiscoveryLocator(services)
        self.cache = ResponseCache(settings.map(_bounds), clock)
        self._buckets: dict[str, TokenBuckets] = {}
        self.rates = ShopRates(clock)
        settings.map(self._follow)

    @property
    def blocks(self) -> bool:
        return bool(self._settings.value.fusebox.gateway.blocked)

    @property
    def grace_seconds(self) -> float:
        """So long beyond its time a cached response will do when nobody answers."""
        return self._settings.value.fusebox.gateway.cache.stale_if_error_seconds

    @property
    def caches(self) -> bool:
        return self._settings.value.fusebox.gateway.cache.enabled

    def find(self, view: RequestView) -> Route | None:
        """By a route of the configuration, or else as discovery knows it.

        None as well for a path in which another server could read the path of another route.
        """
        route = self._find(view)
        reading = other_reading(view.path)
        if route is None or reading is None:
            return route
        other = self._find(view._replace(path=reading))
        return route if other is None or route.is_of_one_group_with(other) else None

    def _find(self, view: RequestView) -> Route | None:
        return self.table.find(view) or self._located(view)

    def _located(self, view: RequestView) -> Route | None:
        return self._locator.find(view, self._hidden) if self._locates else None

    @property
    def _locates(self) -> bool:
        return self._settings.value.spring.cloud.gateway.has_locator

    @property
    def _hidden(self) -> frozenset[str]:
        return self._settings.value.fusebox.gateway.hidden_services

    def cors(self, exchange: Exchange) -> CorsDecision | None:
        """What becomes of a request from a page of elsewhere; None when nothing is configured."""
        return self._cors.decide(exchange.view, exchange.route is not NO_ROUTE)

    def check(self, view: RequestView) -> None:
        """Pass silently, or raise Forbidden when a rule blocks it."""
        blocklist.check(self._settings.value.fusebox.gateway.blocked, view)

    @property
    def proxies(self) -> TrustedProxies:
        _ = self.table
        return self._proxies

    def take(self, route: Route, view: RequestView) -> RateDecision | None:
        """What the route's own rate says; None without one."""
        if route.rate is None:
            return None
        return self._buckets_of(route.id, route.rate).take(route.rate.key_of(view))

    def services(self) -> list[str]:
        """The first segments of the paths that lead somewhere, each once."""
        located = self._locator.all(self._hidden) if self._locates else []
        paths = [path for route in (*self.table.routes, *located) for path in route.own_paths]
        segments = [patterns.first_segment(path) for path in paths]
        return list(dict.fromkeys(segment for segment in segments if segment))

    def mounted(self) -> dict[str, str]:
        """The services that have all behind a first segment of their own, by that segment."""
        mounted = {}
        for segment in self.services():
            view = RequestView("GET", f"/{segment}/{segment}")
            route = self.find(view)
            if route and route.target.is_balanced and route.inner_path(view) == f"/{segment}":
                mounted[segment] = route.target.service
        return mounted

    def described(self) -> list[dict[str, Any]]:
        """The routes for the page /actuator/gateway/routes."""
        located = self._locator.all(self._hidden) if self._locates else []
        return [
            {
                **route.described(),
                "metadata": {**route.metadata, **self.canaries.described(route)},
            }
            for route in (*self.table.routes, *located)
        ]

    def _follow(self, settings: GatewaySettings) -> None:
        cloud, own = settings.spring.cloud.gateway, settings.fusebox.gateway
        self._locator.follow(cloud.defaults)
        self._cors = cloud.cors
        self._proxies = cloud.proxies
        self.rates.follow(own.rate_limits)
        routes = canary_routes.split(cloud.routes, own.canaries)
        self.canaries.follow(routes)
        self.table = RouteTable(routes, self.canaries.weigh)
        limited = {route.id for route in routes if route.rate}
        self._buckets = {name: self._buckets[name] for name in limited & self._buckets.keys()}

    def _buckets_of(self, name: str, rate: Rate) -> TokenBuckets:
        """A rate that stays as it was goes on counting."""
        known = self._buckets.get(name)
        if known is None or (known.rate is not rate and known.rate != rate):
            known = self._buckets[name] = TokenBuckets(rate, self._clock, name)
        return known


def _bounds(settings: GatewaySettings) -> CacheBounds:
    cache = settings.fusebox.gateway.cache
    return CacheBounds(cache.max_bytes, cache.max_entries, cache.max_entry_bytes)
