"""From a request and its route to an answer: kept, shared, asked for, or somebody else's."""

import asyncio
from collections.abc import Mapping
from typing import Literal, NamedTuple

from chassis.core.errors import IGNORED_BY_BREAKERS, DeadlineOver, Overloaded, Unavailable
from chassis.resilience import deadline
from gateway.cache import rules
from gateway.cache.coalescing import Abandoned
from gateway.cache.rules import CachedResponse
from gateway.cache.store import CacheKey
from gateway.routing import patterns
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.routing.request_view import NO_HEADERS, RequestView
from gateway.routing.route import Route
from gateway.rules import GatewayRules
from gateway.traffic.mirror import Mirror

SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
# Said by whatever stands before a service that never got to work.
AWAY = (502, 503, 504)
SWITCHING = 101
# A client with one of these has something already.
HAD = ("If-None-Match", "If-Modified-Since")
# … and with one of these it has wishes of its own, and one with a token gets what is its own.
OWN_WISHES = ("Authorization", "Cache-Control", "Pragma", *HAD)
# One who holds a request open, such as a stream of events, must not hold the others up for long.
LONGEST_WAIT = 5.0
NOT_MODIFIED = frozenset(("age", "cache-control", "date", "etag", "expires", "vary"))


class Pipeline:
    """`handler` makes a call, and raises Unavailable or one of its kinds when nobody answers."""

    def __init__(self, rules: GatewayRules, mirror: Mirror) -> None:
        self._rules = rules
        self._mirror = mirror

    async def answer(
        self, exchange: Exchange, handler: Handler, repeatable: bool = True
    ) -> GatewayResponse:
        """What the client gets, but for what every answer of the gateway carries.

        Without `repeatable` the body is gone once it was sent, so nobody else can be asked.
        """
        route, view = exchange.route, exchange.view
        if route.mirror and repeatable and not view.is_endless:
            self._mirror.consider(route.mirror, exchange, handler)
        call = _Call(self._rules, exchange, handler, repeatable)
        if self._rules.caches and rules.is_candidate(view) and not view.is_endless:
            reply = await call.cached(CacheKey.of(view))
            self._rules.cache.gets[reply.source] += 1
            return _finished(route, view, reply)
        reply = await call.made()
        if view.method not in SAFE and reply.status < 400:
            self._rules.cache.forget(CacheKey.of(view))
        return _finished(route, view, reply)


def _finished(route: Route, view: RequestView, reply: GatewayResponse) -> GatewayResponse:
    """As the filters of `route` want it."""
    if route.status is None and not route.response_edits:
        return reply
    headers = route.response_headers(view.path, reply.headers)
    # What is not HTTP any more has no other status.
    status = reply.status if reply.status == SWITCHING else route.status or reply.status
    return reply._replace(status=status, headers=headers)


def _patience() -> float:
    left = deadline.time_left()
    return LONGEST_WAIT if left is None else min(LONGEST_WAIT, max(0.0, left))


class _Call(NamedTuple):
    rules: GatewayRules
    exchange: Exchange
    handler: Handler
    repeatable: bool

    @property
    def route(self) -> Route:
        return self.exchange.route

    @property
    def view(self) -> RequestView:
        return self.exchange.view

    async def made(self, more: Mapping[str, str] = NO_HEADERS) -> GatewayResponse:
        """By the route's service, or by whoever stands in for it."""
        route = self.route
        exchange = self.exchange._replace(more=more) if more else self.exchange
        try:
            reply = await self.handler(exchange)
        except (DeadlineOver, Overloaded):
            raise
        except Unavailable as failure:
            if not isinstance(failure, IGNORED_BY_BREAKERS):
                self.rules.canaries.record(route, failed=True)
            return await self._made_instead(failure)
        self.rules.canaries.record(route, failed=reply.status >= 500)
        if route.breaker and reply.status in route.breaker.statuses:
            reply.drop()
            return await self._made_instead(
                Unavailable(f"{exchange.service} answered {reply.status}.")
            )
        return reply

    async def _made_instead(self, failure: Unavailable) -> GatewayResponse:
        exchange = self._fallback_exchange()
        if exchange is None or not self.repeatable:
            raise failure
        try:
            reply = (await self.handler(exchange))._replace(source="fallback")
        except Unavailable as another:
            raise failure from another
        return (
            reply
            if exchange.route is self.route
            else _finished(exchange.route, exchange.view, reply)
        )

    def _fallback_exchange(self) -> Exchange | None:
        breaker = self.route.breaker
        if breaker and breaker.fallback:
            return self.exchange._replace(target=breaker.fallback)
        if breaker and breaker.forward:
            path = patterns.expand(breaker.forward, self.route.variables(self.view.path))
            view = self.view._replace(path=path)
            other = self.rules.table.find(view)
            return Exchange.of(other, view) if other and other is not self.route else None
        return None

    async def cached(self, key: CacheKey) -> GatewayResponse:
        cache, coalescing = self.rules.cache, self.rules.coalescing
        while True:
            cached = cache.find(key, self.route.id, self.view)
            if cached and cached.is_fresh(cache.clock(), self.view):
                return self._given(cached)
            if not self._may_wait(key):
                return (await self._fetched(key, cached))[0]
            shared_call, goes = coalescing.join((self.route.id, key))
            if goes:
                with shared_call:
                    reply, shared = await self._fetched(key, cached)
                    shared_call.share(shared)
                    return reply
            try:
                async with asyncio.timeout(_patience()):
                    result = await shared_call.result()
            except Abandoned:
                continue
            except TimeoutError:
                result = None
            if result and result.is_for(self.route.id, self.view):
                return self._given(result)
            return (await self._fetched(key, cached))[0]

    def _may_wait(self, key: CacheKey) -> bool:
        """Whether what another gets may do for this client as well."""
        if self.rules.cache.is_passed_by(key):
            return False
        return not self.view.has_any(OWN_WISHES)

    def _conditions(self, cached: CachedResponse | None) -> Mapping[str, str]:
        """What asks whether `cached` is still so, unless a 304 could mean the client's own copy."""
        found = cached.conditions if cached else NO_HEADERS
        return found if "If-None-Match" in found or HAD[0] not in self.view.headers else NO_HEADERS

    async def _fetched(
        self, key: CacheKey, cached: CachedResponse | None
    ) -> tuple[GatewayResponse, CachedResponse | None]:
        """The answer, and what of it may be given to others who have been waiting."""
        cache = self.rules.cache
        asked = cache.clock()
        conditions = self._conditions(cached)
        try:
            reply = await self.made(conditions)
        except DeadlineOver:
            raise
        except Unavailable:
            if cached and self._stands_in(cached):
                return self._given(cached), cached
            raise
        if cached and reply.status in AWAY and self._stands_in(cached):
            reply.drop()
            return self._given(cached), cached
        return self._noted(key, reply, cached if conditions else None, asked)

    def _stands_in(self, cached: CachedResponse) -> bool:
        """Whether `cached` is better than nothing."""
        return cached.will_do(self.rules.cache.clock()) and not self.view.wants_news

    def _noted(
        self, key: CacheKey, reply: GatewayResponse, cached: CachedResponse | None, asked: float
    ) -> tuple[GatewayResponse, CachedResponse | None]:
        """Keep of an answer what may be kept."""
        cache, grace = self.rules.cache, self.rules.grace_seconds
        if reply.source == "fallback":
            return reply, None
        if cached and reply.status == 304:
            cached = rules.renewed(cached, reply.headers, asked=asked, grace=grace)
            cache.put(key, self.view, cached)
            return self._given(cached), self._shared(cached)
        new = None
        if reply.body is not None:
            terms = {"asked": asked, "grace": grace}
            new = rules.keep(
                self.route.id, self.view, reply.status, reply.headers, reply.body, **terms
            )
        if new:
            cache.put(key, self.view, new)
        elif reply.status < 500:
            cache.pass_by(key)
        return reply, self._shared(new)

    def _shared(self, cached: CachedResponse | None) -> CachedResponse | None:
        return cached if cached and cached.age(self.rules.cache.clock()) < cached.lifetime else None

    def _given(self, cached: CachedResponse) -> GatewayResponse:
        now = self.rules.cache.clock()
        source: Literal["cached", "stale"] = (
            "cached" if cached.age(now) < cached.lifetime else "stale"
        )
        headers = cached.shown(now)
        if self.view.has_any(HAD) and cached.is_had_by(self.view):
            return GatewayResponse(
                304, [p for p in headers if p[0].lower() in NOT_MODIFIED], b"", source=source
            )
        return GatewayResponse(cached.status, headers, cached.body, source=source)
