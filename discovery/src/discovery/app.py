"""The web application of discovery, around one registry."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from discovery.eureka.api import EurekaApi
from discovery.eureka.response_cache import Pages
from discovery.registry.models import Clock
from discovery.registry.registry import Registry, Rules
from discovery.replication.peer_client import Neighbourhood, Replicas, end_if_broken, ended
from discovery.replication.replicated_registry import Cluster
from discovery.web.dashboard import Dashboard

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_REGISTRATION_BYTES = 64 * 1024


@web.middleware
async def without_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals of the framework (404, 405, 413) keep status and Allow and lose their body.

    Netflix's client takes a body that comes with a 404 for an instance, and never registers again.
    """
    if not request.path.startswith("/eureka"):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        allow = refusal.headers.get("Allow")
        return web.Response(status=refusal.status, headers={"Allow": allow} if allow else None)


class Discovery:
    """A registry, its replicas and its pages, as long as `app` runs."""

    def __init__(
        self,
        rules: Callable[[], Rules] = Rules,
        neighbourhood: Callable[[], Neighbourhood] = Neighbourhood,
        clock: Clock | None = None,
        bind: str = "127.0.0.1",
        port: int = 8761,
    ) -> None:
        clock = clock or Clock()
        self.registry = Registry(clock, rules)
        self.replicas = Replicas(self.registry, clock, neighbourhood, bind, port)
        cluster = Cluster(self.registry, self.replicas)
        self.app = web.Application(
            middlewares=[without_bodies, self._once_filled],
            client_max_size=MAX_REGISTRATION_BYTES,
        )
        self.app.add_routes(EurekaApi(self.registry, cluster, Pages(self.registry, clock)).routes())
        dashboard = Dashboard(self.registry, self.replicas, clock)
        self.app.add_routes([web.get("/", dashboard.page)])
        self.app.cleanup_ctx.append(self._run)

    @web.middleware
    async def _once_filled(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Half a registry would make clients believe that the other half is gone."""
        if request.path.startswith("/eureka") and not self.replicas.filled:
            return web.Response(status=503, headers={"Retry-After": "1"})
        return await handler(request)

    async def _run(self, _: web.Application) -> AsyncIterator[None]:
        running = asyncio.create_task(self.replicas.run())
        running.add_done_callback(end_if_broken)
        yield
        await ended(running)
