"""The fallback of a route's circuit breaker: another service or route answers in its place."""

from collections.abc import Awaitable, Callable

from chassis.core.errors import DeadlineOver, Overloaded, Unavailable
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.routing.request_view import RequestView
from gateway.routing.route import Route
from gateway.routing.syntax import patterns


class FallbackFilter:
    """`forward` calls another service for the same route, `by_other_route` for another one."""

    def __init__(
        self,
        find: Callable[[RequestView], Route | None],
        forward: Handler,
        by_other_route: Handler,
    ) -> None:
        self._find = find
        self._forward = forward
        self._by_other_route = by_other_route

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        if exchange.route.breaker is None:
            return proceed(exchange)
        return self._protected(exchange, proceed)

    async def _protected(self, exchange: Exchange, proceed: Handler) -> GatewayResponse:
        try:
            response = await proceed(exchange)
        except (DeadlineOver, Overloaded):
            raise
        except Unavailable as failure:
            return await self._instead(exchange, failure)
        breaker = exchange.route.breaker
        if breaker and response.status in breaker.statuses:
            response.drop()
            answered = f"{exchange.service} answered {response.status}."
            return await self._instead(exchange, Unavailable(answered))
        return response

    async def _instead(self, exchange: Exchange, failure: Unavailable) -> GatewayResponse:
        """What whoever stands in answers; without anybody, or one that is away too: `failure`."""
        other = self._other(exchange)
        if other is None or not exchange.is_repeatable:
            raise failure
        call = self._forward if other.route is exchange.route else self._by_other_route
        try:
            return (await call(other))._replace(source="fallback")
        except Unavailable as another:
            raise failure from another

    def _other(self, exchange: Exchange) -> Exchange | None:
        route = exchange.route
        breaker = route.breaker
        if breaker and breaker.fallback:
            return exchange.to(breaker.fallback)
        if breaker and breaker.forward:
            path = patterns.expand(breaker.forward, route.variables(exchange.view))
            view = exchange.view._replace(path=path)
            other = self._find(view)
            return exchange.by(other, view) if other and other is not route else None
        return None
