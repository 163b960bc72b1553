"""Kept answers, the most lately used of them, within so many bytes and entries."""

import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import NamedTuple

from gateway.cache.rules import Kept
from gateway.routing.request_view import Seen

# Of one address, by route and by the values of what it varies with.
MOST_VARIANTS = 16
# So long nobody waits for another's answer where the last one was not for sharing.
PASS_SECONDS = 120.0
MOST_PASSED = 10_000


class Bounds(NamedTuple):
    max_bytes: int
    max_entries: int
    max_entry_bytes: int


class Address(NamedTuple):
    """The upstream is told the host, so what it says may depend on it."""

    host: str
    uri: str

    @classmethod
    def of(cls, seen: Seen) -> "Address":
        return cls(seen.host.lower(), seen.uri)


class Store:
    """`bounds` are asked at each change, for they may be configured anew."""

    def __init__(
        self, bounds: Callable[[], Bounds], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self._bounds = bounds
        self._pages: OrderedDict[Address, list[Kept]] = OrderedDict()
        self._passed: OrderedDict[Address, float] = OrderedDict()
        self.bytes = 0
        self.entries = 0
        # What was asked for that may be kept, by where the answer came from.
        self.gets: Counter[str] = Counter()

    def find(self, address: Address, route: str, seen: Seen) -> Kept | None:
        """What was kept for such a request, fresh or not."""
        page = self._pages.get(address)
        if page is None:
            return None
        self._pages.move_to_end(address)
        return next((kept for kept in page if kept.is_for(route, seen)), None)

    def put(self, address: Address, seen: Seen, kept: Kept) -> None:
        """Keep it in the place of what was kept for such a request, if it is not too large."""
        bounds = self._bounds()
        self._passed.pop(address, None)
        page = self._pages.setdefault(address, [])
        for old in [each for each in page if each.is_for(kept.route, seen)]:
            self._drop(page, old)
        if kept.size <= bounds.max_entry_bytes:
            page.append(kept)
            self.bytes += kept.size
            self.entries += 1
        if len(page) > MOST_VARIANTS:
            self._drop(page, page[0])
        self._pages.move_to_end(address)
        self._shrink(bounds)

    def forget(self, address: Address) -> None:
        """All that was kept of it, after something was changed there."""
        for kept in self._pages.pop(address, []):
            self._uncount(kept)

    def pass_by(self, address: Address) -> None:
        """The answer was for nobody else: for a while nobody waits for another's."""
        self._passed[address] = self.clock() + PASS_SECONDS
        if len(self._passed) > MOST_PASSED:
            self._passed.popitem(last=False)

    def is_passed_by(self, address: Address) -> bool:
        until = self._passed.get(address)
        return until is not None and until > self.clock()

    def _shrink(self, bounds: Bounds) -> None:
        while self._pages and (
            self.bytes > bounds.max_bytes
            or self.entries > bounds.max_entries
            or not next(iter(self._pages.values()))
        ):
            for kept in self._pages.popitem(last=False)[1]:
                self._uncount(kept)

    def _drop(self, page: list[Kept], kept: Kept) -> None:
        page.remove(kept)
        self._uncount(kept)

    def _uncount(self, kept: Kept) -> None:
        self.bytes -= kept.size
        self.entries -= 1
