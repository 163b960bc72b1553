"""The order in which filters see an exchange: what is refused first stands first."""

from collections.abc import Callable

from gateway.cache.cache_filter import CacheFilter
from gateway.openapi.pages import DescriptionPages
from gateway.proxy.request_body import RequestBodyFilter
from gateway.proxy.route_filters import RateLimitFilter, check_headers, edit_response, require_route
from gateway.proxy.welcome import WelcomePage
from gateway.routing.exchange import Filter, Handler, chain
from gateway.rules import GatewayRules
from gateway.security.authentication import Authentication
from gateway.security.blocklist import BlocklistFilter
from gateway.settings import GatewayLimits
from gateway.traffic.fallback import FallbackFilter
from gateway.traffic.mirror import Mirror


def build(
    rules: GatewayRules,
    pages: DescriptionPages,
    authentication: Authentication,
    limits: Callable[[], GatewayLimits],
    mirror: Mirror,
    forward: Handler,
) -> Handler:
    """From the blocklist to `forward`, which calls the service."""
    checks: tuple[Filter, ...] = (
        BlocklistFilter(rules.check).filter,
        WelcomePage(rules.services, lambda: limits().zipkin_ui).filter,
        pages.filter,
        require_route,
        check_headers,
        authentication.filter,
        RateLimitFilter(rules.take).filter,
        RequestBodyFilter(limits).filter,
    )
    # By another route a request comes to another path, which may want another role.
    by_other_route = chain((authentication.filter, edit_response), forward)
    return chain((*checks, *answering(rules, mirror, forward, by_other_route)), forward)


def answering(
    rules: GatewayRules, mirror: Mirror, forward: Handler, by_other_route: Handler
) -> tuple[Filter, ...]:
    """Who answers what may pass: the cache, the service, or whoever stands in for it."""
    cache = CacheFilter(rules.cache, lambda: rules.caches, lambda: rules.grace_seconds)
    fallback = FallbackFilter(lambda view: rules.table.find(view), forward, by_other_route)
    return (mirror.filter, edit_response, cache.filter, fallback.filter, rules.canaries.filter)
