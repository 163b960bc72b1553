"""From a request and its route to an answer: kept, shared, asked for, or somebody else's."""

import asyncio
from collections.abc import Mapping
from typing import Literal, NamedTuple

from chassis.core.errors import IGNORED_BY_BREAKERS, DeadlineOver, Overloaded, Unavailable
from chassis.resilience import deadline
from gateway.cache import rules
from gateway.cache.coalescing import Abandoned
from gateway.cache.rules import Kept
from gateway.cache.store import Address
from gateway.routing import patterns
from gateway.routing.exchange import Ask, Errand, Reply
from gateway.routing.request_view import NO_HEADERS, Seen
from gateway.routing.route import Route
from gateway.rules import Policy
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
    """`ask` makes a call, and raises Unavailable or one of its kinds when nobody answers."""

    def __init__(self, policy: Policy, mirror: Mirror) -> None:
        self._policy = policy
        self._mirror = mirror

    async def answer(self, errand: Errand, ask: Ask, repeatable: bool = True) -> Reply:
        """What the client gets, but for what every answer of the gateway carries.

        Without `repeatable` the body is gone once it was sent, so nobody else can be asked.
        """
        route, seen = errand.route, errand.seen
        if route.shadow and repeatable and not seen.is_endless:
            self._mirror.consider(route.shadow, errand, ask)
        call = _Call(self._policy, errand, ask, repeatable)
        if self._policy.caches and rules.is_candidate(seen) and not seen.is_endless:
            reply = await call.cached(Address.of(seen))
            self._policy.store.gets[reply.source] += 1
            return _finished(route, seen, reply)
        reply = await call.made()
        if seen.method not in SAFE and reply.status < 400:
            self._policy.store.forget(Address.of(seen))
        return _finished(route, seen, reply)


def _finished(route: Route, seen: Seen, reply: Reply) -> Reply:
    """As the filters of `route` want it."""
    if route.status is None and not route.response_edits:
        return reply
    headers = route.response_headers(seen.path, reply.headers)
    # What is not HTTP any more has no other status.
    status = reply.status if reply.status == SWITCHING else route.status or reply.status
    return reply._replace(status=status, headers=headers)


def _patience() -> float:
    left = deadline.time_left()
    return LONGEST_WAIT if left is None else min(LONGEST_WAIT, max(0.0, left))


class _Call(NamedTuple):
    policy: Policy
    errand: Errand
    ask: Ask
    repeatable: bool

    @property
    def route(self) -> Route:
        return self.errand.route

    @property
    def seen(self) -> Seen:
        return self.errand.seen

    async def made(self, more: Mapping[str, str] = NO_HEADERS) -> Reply:
        """By the route's service, or by whoever stands in for it."""
        route = self.route
        errand = self.errand._replace(more=more) if more else self.errand
        try:
            reply = await self.ask(errand)
        except (DeadlineOver, Overloaded):
            raise
        except Unavailable as failure:
            if not isinstance(failure, IGNORED_BY_BREAKERS):
                self.policy.canaries.told(route, failed=True)
            return await self._made_instead(failure)
        self.policy.canaries.told(route, failed=reply.status >= 500)
        if route.breaker and reply.status in route.breaker.statuses:
            reply.drop()
            return await self._made_instead(
                Unavailable(f"{errand.service} answered {reply.status}.")
            )
        return reply

    async def _made_instead(self, failure: Unavailable) -> Reply:
        errand = self._errand_instead()
        if errand is None or not self.repeatable:
            raise failure
        try:
            reply = (await self.ask(errand))._replace(source="fallback")
        except Unavailable as another:
            raise failure from another
        return reply if errand.route is self.route else _finished(errand.route, errand.seen, reply)

    def _errand_instead(self) -> Errand | None:
        breaker = self.route.breaker
        if breaker and breaker.fallback:
            return self.errand._replace(target=breaker.fallback)
        if breaker and breaker.forward:
            path = patterns.expand(breaker.forward, self.route.variables(self.seen.path))
            seen = self.seen._replace(path=path)
            other = self.policy.table.find(seen)
            return Errand.of(other, seen) if other and other is not self.route else None
        return None

    async def cached(self, address: Address) -> Reply:
        store, flights = self.policy.store, self.policy.flights
        while True:
            kept = store.find(address, self.route.id, self.seen)
            if kept and kept.is_fresh(store.clock(), self.seen):
                return self._given(kept)
            if not self._may_wait(address):
                return (await self._fetched(address, kept))[0]
            flight, goes = flights.board((self.route.id, address))
            if goes:
                with flight:
                    reply, shared = await self._fetched(address, kept)
                    flight.land(shared)
                    return reply
            try:
                async with asyncio.timeout(_patience()):
                    landed = await flight.landed()
            except Abandoned:
                continue
            except TimeoutError:
                landed = None
            if landed and landed.is_for(self.route.id, self.seen):
                return self._given(landed)
            return (await self._fetched(address, kept))[0]

    def _may_wait(self, address: Address) -> bool:
        """Whether what another gets may do for this client as well."""
        if self.policy.store.is_passed_by(address):
            return False
        return not self.seen.has_any(OWN_WISHES)

    def _conditions(self, kept: Kept | None) -> Mapping[str, str]:
        """What asks whether `kept` is still so, unless a 304 could mean the client's own copy."""
        found = kept.conditions if kept else NO_HEADERS
        return found if "If-None-Match" in found or HAD[0] not in self.seen.headers else NO_HEADERS

    async def _fetched(self, address: Address, kept: Kept | None) -> tuple[Reply, Kept | None]:
        """The answer, and what of it may be given to others who have been waiting."""
        store = self.policy.store
        asked = store.clock()
        conditions = self._conditions(kept)
        try:
            reply = await self.made(conditions)
        except DeadlineOver:
            raise
        except Unavailable:
            if kept and self._stands_in(kept):
                return self._given(kept), kept
            raise
        if kept and reply.status in AWAY and self._stands_in(kept):
            reply.drop()
            return self._given(kept), kept
        return self._noted(address, reply, kept if conditions else None, asked)

    def _stands_in(self, kept: Kept) -> bool:
        """Whether `kept` is better than nothing."""
        return kept.will_do(self.policy.store.clock()) and not self.seen.wants_news

    def _noted(
        self, address: Address, reply: Reply, kept: Kept | None, asked: float
    ) -> tuple[Reply, Kept | None]:
        """Keep of an answer what may be kept."""
        store, grace = self.policy.store, self.policy.grace_seconds
        if reply.source == "fallback":
            return reply, None
        if kept and reply.status == 304:
            kept = rules.renewed(kept, reply.headers, asked=asked, grace=grace)
            store.put(address, self.seen, kept)
            return self._given(kept), self._shared(kept)
        new = None
        if reply.body is not None:
            terms = {"asked": asked, "grace": grace}
            new = rules.keep(
                self.route.id, self.seen, reply.status, reply.headers, reply.body, **terms
            )
        if new:
            store.put(address, self.seen, new)
        elif reply.status < 500:
            store.pass_by(address)
        return reply, self._shared(new)

    def _shared(self, kept: Kept | None) -> Kept | None:
        return kept if kept and kept.age(self.policy.store.clock()) < kept.lifetime else None

    def _given(self, kept: Kept) -> Reply:
        now = self.policy.store.clock()
        source: Literal["kept", "stale"] = "kept" if kept.age(now) < kept.lifetime else "stale"
        headers = kept.shown(now)
        if self.seen.has_any(HAD) and kept.is_had_by(self.seen):
            return Reply(
                304, [p for p in headers if p[0].lower() in NOT_MODIFIED], b"", source=source
            )
        return Reply(kept.status, headers, kept.body, source=source)
