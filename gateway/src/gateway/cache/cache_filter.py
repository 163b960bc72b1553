"""Answers from the response cache where it may; else one call serves all who want the same."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from multidict import MultiMapping

from chassis.core.errors import DeadlineOver, NotCached, Unavailable
from chassis.resilience import deadline
from gateway.cache import rules
from gateway.cache.coalescing import Abandoned, RequestCoalescing
from gateway.cache.directives import requested
from gateway.cache.rules import CachedResponse
from gateway.cache.store import CacheKey, ResponseCache
from gateway.http.header_fields import once
from gateway.routing.exchange import Exchange, GatewayResponse, Handler, Source
from gateway.routing.request_view import NO_HEADERS, RequestView
from gateway.routing.route import Route

SAFE = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
# Said by whatever stands before a service that never got to work.
UNAVAILABLE = (502, 503, 504)
# A client with one of these has something already.
HAD = ("If-None-Match", "If-Modified-Since")
# … and with one of these it has wishes of its own, and one with a token gets what is its own.
OWN_WISHES = ("Authorization", "Cache-Control", "Pragma", *HAD)
# One who holds a request open, such as a stream of events, must not hold the others up for long.
LONGEST_WAIT = 5.0
NOT_MODIFIED = frozenset(("age", "cache-control", "date", "etag", "expires", "vary"))


class CacheFilter:
    """`grace` is so many seconds for a response that does not say itself how long it will do."""

    def __init__(
        self, cache: ResponseCache, is_enabled: Callable[[], bool], grace: Callable[[], float]
    ) -> None:
        self.cache = cache
        self.coalescing: RequestCoalescing[tuple[str, CacheKey], CachedResponse] = (
            RequestCoalescing()
        )
        self.grace = grace
        self._is_enabled = is_enabled

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        view = exchange.view
        is_enabled = self._is_enabled()
        if is_enabled and rules.is_candidate(view) and not view.is_endless:
            return self._counted(_Lookup(self, exchange, proceed, CacheKey.of(view)))
        if view.method not in SAFE:
            return self._changed(exchange, proceed)
        if is_enabled and requested(view.headers).only_if_cached:
            raise _not_cached()
        return proceed(exchange)

    async def _counted(self, lookup: "_Lookup") -> GatewayResponse:
        response = await lookup.response()
        self.cache.gets[response.source] += 1
        return response

    async def _changed(self, exchange: Exchange, proceed: Handler) -> GatewayResponse:
        response = await proceed(exchange)
        if response.status < 400:
            self.cache.forget(CacheKey.of(exchange.view))
        return response


def _has_something(headers: MultiMapping[str]) -> bool:
    return any(name in headers for name in HAD)


def _has_own_wishes(headers: MultiMapping[str]) -> bool:
    return any(name in headers for name in OWN_WISHES)


def _not_cached() -> NotCached:
    return NotCached("No cached response will do, and the service was not to be asked.")


def _longest_wait() -> float:
    left = deadline.time_left()
    return LONGEST_WAIT if left is None else min(LONGEST_WAIT, max(0.0, left))


class _Lookup(NamedTuple):
    """One request that a cached response could answer."""

    filter: CacheFilter
    exchange: Exchange
    proceed: Handler
    key: CacheKey

    @property
    def cache(self) -> ResponseCache:
        return self.filter.cache

    @property
    def route(self) -> Route:
        return self.exchange.route

    @property
    def view(self) -> RequestView:
        return self.exchange.view

    async def response(self) -> GatewayResponse:
        cache, coalescing, view = self.cache, self.filter.coalescing, self.view
        while True:
            cached = cache.find(self.key, self.route.id, view)
            if cached and cached.is_fresh(cache.clock(), view):
                return self._given(cached)
            if requested(view.headers).only_if_cached:
                raise _not_cached()
            if not self._may_wait():
                return (await self._fetched(cached))[0]
            call, is_first = coalescing.join((self.route.id, self.key))
            if is_first:
                with call:
                    response, shared = await self._fetched(cached)
                    call.share(shared)
                    return response
            try:
                async with asyncio.timeout(_longest_wait()):
                    result = await call.result()
            except Abandoned:
                continue
            except TimeoutError:
                result = None
            if result and result.is_for(self.route.id, self.view):
                return self._given(result)
            return (await self._fetched(cached))[0]

    def _may_wait(self) -> bool:
        """Whether what another gets may do for this client as well."""
        return not (once(self.view.headers, _has_own_wishes) or self.cache.is_passed_by(self.key))

    def _conditions(self, cached: CachedResponse | None) -> Mapping[str, str]:
        """What asks whether `cached` is still so, unless a 304 could mean the client's own copy."""
        if cached is None:
            return NO_HEADERS
        own = cached.conditions
        return own if "If-None-Match" in own or HAD[0] not in self.view.headers else NO_HEADERS

    async def _fetched(
        self, cached: CachedResponse | None
    ) -> tuple[GatewayResponse, CachedResponse | None]:
        """The response, and what of it may be given to others who have been waiting."""
        requested_at = self.cache.clock()
        conditions = self._conditions(cached)
        try:
            response = await self.proceed(self.exchange.under(conditions))
        except DeadlineOver:
            raise
        except Unavailable:
            if cached and self._stands_in(cached):
                return self._given(cached), cached
            raise
        if cached and response.status in UNAVAILABLE and self._stands_in(cached):
            response.drop()
            return self._given(cached), cached
        return self._noted(response, cached if conditions else None, requested_at)

    def _stands_in(self, cached: CachedResponse) -> bool:
        """Whether `cached` is better than nothing."""
        return cached.will_do(self.cache.clock()) and not requested(self.view.headers).no_cache

    def _noted(
        self, response: GatewayResponse, cached: CachedResponse | None, requested_at: float
    ) -> tuple[GatewayResponse, CachedResponse | None]:
        """Keep of a response what may be kept."""
        cache = self.cache
        if response.source == "fallback":
            return response, None
        if cached and response.status == 304:
            cached = rules.renewed(
                cached, response.headers, asked=requested_at, grace=self.filter.grace()
            )
            cache.put(self.key, self.view, cached)
            return self._given(cached), self._shared(cached)
        new = None
        if response.body is not None and rules.may_be_kept(response.status, response.headers):
            terms = {"asked": requested_at, "grace": self.filter.grace()}
            status, headers, body = response.status, response.headers, response.body
            new = rules.keep(self.route.id, self.view, status, headers, body, **terms)
        if new:
            cache.put(self.key, self.view, new)
        elif response.status < 500:
            cache.pass_by(self.key)
        return response, self._shared(new)

    def _shared(self, cached: CachedResponse | None) -> CachedResponse | None:
        return cached if cached and cached.age(self.cache.clock()) < cached.lifetime else None

    def _given(self, cached: CachedResponse) -> GatewayResponse:
        now = self.cache.clock()
        source: Source = "cached" if cached.age(now) < cached.lifetime else "stale"
        headers = cached.shown(now)
        if once(self.view.headers, _has_something) and cached.is_had_by(self.view):
            headers = [pair for pair in headers if pair[0].lower() in NOT_MODIFIED]
            return GatewayResponse(304, headers, b"", source=source)
        return GatewayResponse(cached.status, headers, cached.body, source=source)
