"""Response cache: the lists that all clients fetch all the time, kept ready in each format.

Netflix's server has one of this name.

The rendered text of an instance is kept until the instance changes, so that a list is joined
rather than rendered again; what has to be rendered is rendered in slices, between which the event
loop does its other work.
"""

import asyncio
import gzip
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from discovery.eureka import serialize
from discovery.registry.models import Lease, RegistryClock, by_application
from discovery.registry.registry import Registry

# A heartbeat changes nothing but a timestamp: the list may show that one late, and the more so
# the longer it takes to show it; a hundredth of the time is spent on it at most.
HEARTBEATS_MAX_AGE_SECONDS = 1.0
HEARTBEATS_MAX_AGE_IN_COSTS = 100
# A change is shown at once, but for lists so long that a storm of changes would take a whole core.
LARGE_LIST = 1_000
CHANGES_MAX_AGE_IN_COSTS = 10
SLICE = 100
# To compress a short text takes less than handing it to a thread.
LARGE_BYTES = 100_000

LeaseList = Callable[[Registry], list[Lease]]


@dataclass(slots=True)
class CachedPayload:
    """`state` is that of the registry it shows, `cost` the seconds it took to render."""

    body: bytes
    instances: int
    state: tuple[int, int]
    heartbeats: int
    rendered_at: float
    cost: float
    heartbeats_shown_at: float
    heartbeats_cost: float
    gzip_body: bytes | None = None
    gzip_lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def gzipped(self) -> bytes:
        async with self.gzip_lock:
            if self.gzip_body is None:
                self.gzip_body = await gzipped(self.body)
        return self.gzip_body


async def gzipped(body: bytes) -> bytes:
    if len(body) < LARGE_BYTES:
        return gzip.compress(body, 1)
    return await asyncio.to_thread(gzip.compress, body, 1)


class EurekaResponseCache:
    def __init__(self, registry: Registry, clock: RegistryClock) -> None:
        self._registry = registry
        self._clock = clock
        self._payloads: dict[tuple[LeaseList, serialize.Renderer], CachedPayload] = {}
        self._locks: defaultdict[tuple[LeaseList, serialize.Renderer], asyncio.Lock] = defaultdict(
            asyncio.Lock
        )

    async def all(self, renderer: serialize.Renderer) -> CachedPayload:
        return await self._payload(Registry.leases, renderer)

    async def delta(self, renderer: serialize.Renderer) -> CachedPayload:
        return await self._payload(Registry.delta, renderer)

    async def application(self, app: str, renderer: serialize.Renderer) -> bytes | None:
        """The document of that application; None when it has no instance."""
        await self._render(self._registry.application(app), renderer, heartbeats=True)
        leases = self._registry.application(app)
        if not leases:
            return None
        name = leases[0].instance.app
        return renderer.application(name, [self._fragment(lease, renderer) for lease in leases])

    async def by_address(self, key: str, address: str, renderer: serialize.Renderer) -> bytes:
        await self._render(self._registry.by_address(key, address), renderer, heartbeats=True)
        leases = self._registry.by_address(key, address)
        return renderer.applications(
            -1, serialize.hash_code(leases), self._by_application(leases, renderer)
        )

    async def _payload(self, leases_of: LeaseList, renderer: serialize.Renderer) -> CachedPayload:
        key = (leases_of, renderer)
        payload = self._payloads.get(key)
        if payload is not None and self._fresh(payload):
            return payload
        async with self._locks[key]:  # many requests wait while one renders
            payload = self._payloads.get(key)
            if payload is None or not self._fresh(payload):
                payload = self._payloads[key] = await self._rendered_list(
                    leases_of, renderer, payload
                )
        return payload

    def _fresh(self, payload: CachedPayload) -> bool:
        if self._state == payload.state:
            return not self._heartbeats_stale(payload)
        max_age = CHANGES_MAX_AGE_IN_COSTS * payload.cost if payload.instances > LARGE_LIST else 0
        return self._clock.steady() - payload.rendered_at < max_age

    def _heartbeats_stale(self, payload: CachedPayload) -> bool:
        if not payload.instances:
            return False
        max_age = max(
            HEARTBEATS_MAX_AGE_SECONDS, HEARTBEATS_MAX_AGE_IN_COSTS * payload.heartbeats_cost
        )
        age = self._clock.steady() - payload.heartbeats_shown_at
        return payload.heartbeats != self._registry.heartbeats and age >= max_age

    @property
    def _state(self) -> tuple[int, int]:
        return self._registry.version, self._registry.changes

    async def _rendered_list(
        self, leases_of: LeaseList, renderer: serialize.Renderer, old: CachedPayload | None
    ) -> CachedPayload:
        began, registry = self._clock.steady(), self._registry
        heartbeats = old is None or self._heartbeats_stale(old)
        await self._render(leases_of(registry), renderer, heartbeats)
        # From here on nothing else runs: the list, its version and its hash code belong together.
        leases = leases_of(registry)
        body = renderer.applications(
            1 if leases_of is Registry.leases else registry.version,
            serialize.hash_code(registry.leases()),
            self._by_application(leases, renderer),
        )
        now = self._clock.steady()
        payload = CachedPayload(
            body, len(leases), self._state, registry.heartbeats, now, now - began, now, now - began
        )
        if old is not None and not heartbeats:
            payload.heartbeats = old.heartbeats
            payload.heartbeats_shown_at = old.heartbeats_shown_at
            payload.heartbeats_cost = old.heartbeats_cost
        return payload

    def _by_application(
        self, leases: Iterable[Lease], renderer: serialize.Renderer
    ) -> serialize.RenderedInstances:
        return {
            name: [self._fragment(lease, renderer) for lease in group]
            for name, group in by_application(leases).items()
        }

    async def _render(
        self, leases: Iterable[Lease], renderer: serialize.Renderer, heartbeats: bool
    ) -> None:
        rendered = 0
        for lease in leases:
            cached = lease.rendered.get(renderer)
            if cached is None or (heartbeats and cached[0] != lease.renewed_at):
                lease.rendered[renderer] = (lease.renewed_at, renderer.fragment(lease))
                rendered += 1
                if rendered % SLICE == 0:
                    await asyncio.sleep(0)

    def _fragment(self, lease: Lease, renderer: serialize.Renderer) -> bytes:
        cached = lease.rendered.get(renderer)
        if cached is None:
            cached = lease.rendered[renderer] = (lease.renewed_at, renderer.fragment(lease))
        return cached[1]
