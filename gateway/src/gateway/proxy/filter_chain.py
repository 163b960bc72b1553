"""The order in which filters see an exchange: what is refused first stands first."""

from collections.abc import Awaitable, Callable

from gateway.cache.cache_filter import CacheFilter
from gateway.openapi.pages import DescriptionPages
from gateway.proxy.request_body import RequestBodyFilter
from gateway.proxy.route_filters import RateLimitFilter, check_headers, edit_response, require_route
from gateway.proxy.welcome import WelcomePage
from gateway.routing.exchange import (
    Exchange,
    GatewayFilter,
    GatewayResponse,
    Handler,
    chain,
)
from gateway.routing.route import NO_ROUTE, Route
from gateway.routing.table import RouteTable
from gateway.rules import GatewayRules
from gateway.security.authentication import Authentication
from gateway.security.blocklist import BlocklistFilter
from gateway.settings import GatewayLimits
from gateway.traffic.fallback import FallbackFilter
from gateway.traffic.mirror import Mirror


class FilterChain:
    """Answers an exchange by the filters that its route needs, from the blocklist to the service.

    They are found out once for each route and configuration.  A plain route has hardly any: only
    what is asked of every request lies between it and `forward`, which calls the service.
    """

    def __init__(
        self,
        rules: GatewayRules,
        pages: DescriptionPages,
        authentication: Authentication,
        limits: Callable[[], GatewayLimits],
        panel: Callable[[], str],
        mirror: Mirror,
        forward: Handler,
    ) -> None:
        self._rules = rules
        self._forward = forward
        # By another route a request comes to another path, which may want another role.
        by_other_route = chain((authentication.filter, edit_response), forward)
        self.filters: tuple[GatewayFilter, ...] = (
            *_checks(rules, pages, authentication, limits, panel),
            *answering(rules, mirror, forward, by_other_route),
        )
        self._table: RouteTable | None = None
        self._made: dict[str, tuple[Route, Handler]] = {}

    def answer(self, exchange: Exchange) -> Awaitable[GatewayResponse]:
        table, route = self._rules.table, exchange.route
        if table is not self._table:
            self._table, self._made = table, {}
        known = self._made.get(route.id)
        if known is None or known[0] is not route:
            known = self._made[route.id] = (route, self.of(route))
        return known[1](exchange)

    def of(self, route: Route) -> Handler:
        return chain([one.filter for one in self.filters if one.is_needed(route)], self._forward)


def _checks(
    rules: GatewayRules,
    pages: DescriptionPages,
    authentication: Authentication,
    limits: Callable[[], GatewayLimits],
    panel: Callable[[], str],
) -> tuple[GatewayFilter, ...]:
    welcome = WelcomePage(rules.services, panel, lambda: limits().zipkin_ui)
    return (
        GatewayFilter(BlocklistFilter(rules.check).filter, lambda _: rules.blocks),
        GatewayFilter(welcome.filter, lambda route: route is NO_ROUTE),
        GatewayFilter(pages.filter, lambda route: route is NO_ROUTE),
        GatewayFilter(require_route, lambda route: route is NO_ROUTE),
        GatewayFilter(check_headers, lambda route: route.max_header),
        GatewayFilter(authentication.filter),
        GatewayFilter(RateLimitFilter(rules.take).filter, lambda route: route.rate),
        GatewayFilter(RequestBodyFilter(limits).filter),
    )


def answering(
    rules: GatewayRules, mirror: Mirror, forward: Handler, by_other_route: Handler
) -> tuple[GatewayFilter, ...]:
    """Who answers what may pass: the cache, the service, or whoever stands in for it."""
    cache = CacheFilter(rules.cache, lambda: rules.caches, lambda: rules.grace_seconds)
    fallback = FallbackFilter(lambda view: rules.table.find(view), forward, by_other_route)
    return (
        GatewayFilter(mirror.filter, lambda route: route.mirror),
        GatewayFilter(edit_response, lambda route: route.edits_responses),
        GatewayFilter(cache.filter),
        GatewayFilter(fallback.filter, lambda route: route.breaker),
        GatewayFilter(rules.canaries.filter, lambda route: route.weight),
    )
