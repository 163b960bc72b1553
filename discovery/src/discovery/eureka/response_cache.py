"""The lists that everybody fetches all the time, kept ready instead of made per request.

Of each instance the rendered text is kept until it changes, so that a list is put together anew
rather than made anew; what has to be rendered is rendered in slices, between which the event loop
does its other work.
"""

import asyncio
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from discovery.eureka import serialize
from discovery.registry.models import Clock, Lease, by_application
from discovery.registry.registry import Registry

# A heartbeat changes nothing but a timestamp: the list may show that one late, and the more so
# the longer it takes to show it; a hundredth of the time is spent on it at most.
HEARTBEATS_SHOWN_WITHIN_SECONDS = 1.0
TIMES_ITS_COST_FOR_HEARTBEATS = 100
# A change is shown at once, but for lists so long that a storm of changes would take a whole core.
LONG = 1_000
TIMES_ITS_COST_FOR_CHANGES = 10
SLICE = 100
# Packing a short text takes less than handing it to a thread.
LARGE_BYTES = 100_000

Listing = Callable[[Registry], list[Lease]]


@dataclass(slots=True)
class Page:
    """`state` is that of the registry it shows, `cost` the seconds it took to make."""

    body: bytes
    instances: int
    state: tuple[int, int]
    heartbeats: int
    made_at: float
    cost: float
    heartbeats_shown_at: float
    heartbeats_cost: float
    packed: bytes | None = None
    packing: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def gzipped(self) -> bytes:
        async with self.packing:
            if self.packed is None:
                self.packed = await gzipped(self.body)
        return self.packed


async def gzipped(body: bytes) -> bytes:
    if len(body) < LARGE_BYTES:
        return gzip.compress(body, 1)
    return await asyncio.to_thread(gzip.compress, body, 1)


class Pages:
    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
        self._pages: dict[tuple[Listing, serialize.Form], Page] = {}
        self._making: defaultdict[tuple[Listing, serialize.Form], asyncio.Lock] = defaultdict(
            asyncio.Lock
        )

    async def all(self, form: serialize.Form) -> Page:
        return await self._page(Registry.leases, form)

    async def delta(self, form: serialize.Form) -> Page:
        return await self._page(Registry.delta, form)

    async def application(self, app: str, form: serialize.Form) -> bytes | None:
        """The document of that application, or None when there is none."""
        await self._render(self._registry.application(app), form, heartbeats=True)
        leases = self._registry.application(app)
        if not leases:
            return None
        name = leases[0].instance.app
        return form.application(name, [self._fragment(lease, form) for lease in leases])

    async def by_address(self, key: str, address: str, form: serialize.Form) -> bytes:
        await self._render(self._registry.by_address(key, address), form, heartbeats=True)
        leases = self._registry.by_address(key, address)
        return form.applications(-1, serialize.hash_code(leases), self._found(leases, form))

    async def _page(self, listing: Listing, form: serialize.Form) -> Page:
        key = (listing, form)
        page = self._pages.get(key)
        if page is not None and self._fresh(page):
            return page
        async with self._making[key]:  # many ask while one is made
            page = self._pages.get(key)
            if page is None or not self._fresh(page):
                page = self._pages[key] = await self._made(listing, form, page)
        return page

    def _fresh(self, page: Page) -> bool:
        if self._state == page.state:
            return not self._owes_heartbeats(page)
        patience = TIMES_ITS_COST_FOR_CHANGES * page.cost if page.instances > LONG else 0
        return self._clock.steady() - page.made_at < patience

    def _owes_heartbeats(self, page: Page) -> bool:
        if not page.instances:
            return False
        patience = max(
            HEARTBEATS_SHOWN_WITHIN_SECONDS, TIMES_ITS_COST_FOR_HEARTBEATS * page.heartbeats_cost
        )
        age = self._clock.steady() - page.heartbeats_shown_at
        return page.heartbeats != self._registry.heartbeats and age >= patience

    @property
    def _state(self) -> tuple[int, int]:
        return self._registry.version, self._registry.changes

    async def _made(self, listing: Listing, form: serialize.Form, old: Page | None) -> Page:
        began, registry = self._clock.steady(), self._registry
        heartbeats = old is None or self._owes_heartbeats(old)
        await self._render(listing(registry), form, heartbeats)
        # From here on nothing else runs: the list, its version and its hash code belong together.
        leases = listing(registry)
        body = form.applications(
            1 if listing is Registry.leases else registry.version,
            serialize.hash_code(registry.leases()),
            self._found(leases, form),
        )
        now = self._clock.steady()
        page = Page(
            body, len(leases), self._state, registry.heartbeats, now, now - began, now, now - began
        )
        if old is not None and not heartbeats:
            page.heartbeats = old.heartbeats
            page.heartbeats_shown_at = old.heartbeats_shown_at
            page.heartbeats_cost = old.heartbeats_cost
        return page

    def _found(self, leases: Iterable[Lease], form: serialize.Form) -> serialize.Found:
        return {
            name: [self._fragment(lease, form) for lease in each]
            for name, each in by_application(leases).items()
        }

    async def _render(
        self, leases: Iterable[Lease], form: serialize.Form, heartbeats: bool
    ) -> None:
        rendered = 0
        for lease in leases:
            known = lease.rendered.get(form)
            if known is None or (heartbeats and known[0] != lease.renewed_at):
                lease.rendered[form] = (lease.renewed_at, form.fragment(lease))
                rendered += 1
                if rendered % SLICE == 0:
                    await asyncio.sleep(0)

    def _fragment(self, lease: Lease, form: serialize.Form) -> bytes:
        known = lease.rendered.get(form)
        if known is None:
            known = lease.rendered[form] = (lease.renewed_at, form.fragment(lease))
        return known[1]
