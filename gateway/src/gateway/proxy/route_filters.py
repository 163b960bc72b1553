"""What a route has done to every exchange of its own: its rate limit, and edits of the response."""

from collections.abc import Awaitable, Callable, Mapping

from chassis.core.errors import HeadersTooLarge, NotFound
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.routing.filters.statuses import RedirectTo
from gateway.routing.rate_limit import RateDecision, RateExceeded
from gateway.routing.request_view import RequestView
from gateway.routing.route import NO_ROUTE, Route
from gateway.security.path_normalization import normalized

SWITCHING = 101


def require_route(exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
    if exchange.route is NO_ROUTE:
        normalized(exchange.request.path)  # raises what is wrong with it, if that is why
        raise NotFound("No service of this shop has this address.")
    return proceed(exchange)


def check_headers(exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
    """Refuse a request with a header that is longer than the route takes."""
    limit = exchange.route.max_header
    if limit and (name := limit.first_over(exchange.view.headers.items())):
        raise HeadersTooLarge(f"The header {name} is longer than {limit.limit} bytes.")
    return proceed(exchange)


class RateLimitFilter:
    """`take` says what a route's own rate allows; None for one without."""

    def __init__(self, take: Callable[[Route, RequestView], RateDecision | None]) -> None:
        self._take = take

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        decision = self._take(exchange.route, exchange.view)
        if decision is None:
            return proceed(exchange)
        exchange.rates.append(decision)
        if not decision.allowed:
            raise RateExceeded(decision, decision.headers)
        return _with_headers(decision.headers, exchange, proceed)


async def _with_headers(
    headers: Mapping[str, str], exchange: Exchange, proceed: Handler
) -> GatewayResponse:
    return (await proceed(exchange))._replace(extra=headers)


def edit_response(exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
    route = exchange.route
    if route.redirect:
        return _redirected(exchange, route.redirect)
    if not route.edits_responses:
        return proceed(exchange)
    return _edited(exchange, proceed)


async def _redirected(exchange: Exchange, redirect: RedirectTo) -> GatewayResponse:
    """Nobody is asked."""
    location = [("Location", redirect.location(exchange.view.query))]
    headers = exchange.route.response_headers(exchange.view, location)
    return GatewayResponse(redirect.status, headers, b"")


async def _edited(exchange: Exchange, proceed: Handler) -> GatewayResponse:
    response, route = await proceed(exchange), exchange.route
    headers = route.response_headers(exchange.view, response.headers)
    # What is not HTTP any more has no other status.
    status = response.status if response.status == SWITCHING else route.status or response.status
    return response._replace(status=status, headers=headers)
