"""Kept answers, the most lately used of them, within so many bytes and entries."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from chassis.core.live import Live
from gateway.cache.rules import CachedResponse
from gateway.routing.request_view import RequestView

# Of one address, by route and by the values of what it varies with.
MOST_VARIANTS = 16
# So long nobody waits for another's answer where the last one was not for sharing.
PASS_SECONDS = 120.0
MOST_PASSED = 10_000


class CacheBounds(NamedTuple):
    max_bytes: int
    max_entries: int
    max_entry_bytes: int


class CacheKey(NamedTuple):
    """The upstream is told the host, so what it says may depend on it."""

    host: str
    uri: str

    @classmethod
    def of(cls, view: RequestView) -> "CacheKey":
        return cls(view.host.lower(), view.uri)


class ResponseCache:
    """`bounds` are read at each change, for they may be configured anew."""

    def __init__(
        self, bounds: Live[CacheBounds], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self._bounds = bounds
        self._variants: OrderedDict[CacheKey, list[CachedResponse]] = OrderedDict()
        self._passed: OrderedDict[CacheKey, float] = OrderedDict()
        self.bytes = 0
        self.entries = 0
        # What was asked for that may be kept, by where the answer came from.
        self.gets: Counter[str] = Counter()

    def find(self, key: CacheKey, route: str, view: RequestView) -> CachedResponse | None:
        """What was cached for such a request, fresh or not."""
        variants = self._variants.get(key)
        if variants is None:
            return None
        self._variants.move_to_end(key)
        return next((cached for cached in variants if cached.is_for(route, view)), None)

    def put(self, key: CacheKey, view: RequestView, cached: CachedResponse) -> None:
        """Keep it in the place of what was cached for such a request, if it is not too large."""
        bounds = self._bounds.value
        self._passed.pop(key, None)
        variants = self._variants.setdefault(key, [])
        for old in [variant for variant in variants if variant.is_for(cached.route, view)]:
            self._drop(variants, old)
        if cached.size <= bounds.max_entry_bytes:
            variants.append(cached)
            self.bytes += cached.size
            self.entries += 1
        if len(variants) > MOST_VARIANTS:
            self._drop(variants, variants[0])
        self._variants.move_to_end(key)
        self._shrink(bounds)

    def forget(self, key: CacheKey) -> None:
        """All that was cached of it, after something was changed there."""
        for cached in self._variants.pop(key, []):
            self._uncount(cached)

    def pass_by(self, key: CacheKey) -> None:
        """The answer was for nobody else: for a while nobody waits for another's."""
        self._passed[key] = self.clock() + PASS_SECONDS
        if len(self._passed) > MOST_PASSED:
            self._passed.popitem(last=False)

    def is_passed_by(self, key: CacheKey) -> bool:
        until = self._passed.get(key)
        return until is not None and until > self.clock()

    def _shrink(self, bounds: CacheBounds) -> None:
        while self._variants and (
            self.bytes > bounds.max_bytes
            or self.entries > bounds.max_entries
            or not next(iter(self._variants.values()))
        ):
            for cached in self._variants.popitem(last=False)[1]:
                self._uncount(cached)

    def _drop(self, variants: list[CachedResponse], cached: CachedResponse) -> None:
        variants.remove(cached)
        self._uncount(cached)

    def _uncount(self, cached: CachedResponse) -> None:
        self.bytes -= cached.size
        self.entries -= 1
