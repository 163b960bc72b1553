"""The two lists that everybody fetches all the time, kept ready instead of made per request."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass

from discovery import wire
from discovery.models import Clock
from discovery.registry import Registry

# A heartbeat changes nothing but a timestamp: the list may show that one a little late.
HEARTBEATS_SHOWN_WITHIN_SECONDS = 1.0

Render = Callable[[str, wire.Document], bytes]


@dataclass(slots=True)
class Page:
    body: bytes
    version: int
    changes: int
    heartbeats: int
    made_at: float
    packed: bytes | None = None

    def gzipped(self) -> bytes:
        if self.packed is None:
            self.packed = gzip.compress(self.body, compresslevel=1)
        return self.packed


class Pages:
    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._pages: dict[tuple[str, Render], Page] = {}

    def all(self, render: Render) -> Page:
        return self._page("all", render, self._all)

    def delta(self, render: Render) -> Page:
        return self._page("delta", render, self._delta)

    def _page(self, name: str, render: Render, make: Callable[[], wire.Document]) -> Page:
        page = self._pages.get((name, render))
        if page is None or not self._fresh(page):
            page = self._pages[(name, render)] = self._made(render("applications", make()))
        return page

    def _made(self, body: bytes) -> Page:
        registry = self._registry
        return Page(
            body, registry.version, registry.changes, registry.heartbeats, self._clock.steady()
        )

    def _fresh(self, page: Page) -> bool:
        registry = self._registry
        if (page.version, page.changes) != (registry.version, registry.changes):
            return False
        age = self._clock.steady() - page.made_at
        return page.heartbeats == registry.heartbeats or age < HEARTBEATS_SHOWN_WITHIN_SECONDS

    def _all(self) -> wire.Document:
        return wire.applications(self._registry.applications(), 1, self._registry.leases())

    def _delta(self) -> wire.Document:
        registry = self._registry
        return wire.applications(registry.delta(), registry.version, registry.leases())
