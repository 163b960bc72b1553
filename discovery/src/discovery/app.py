"""The web application of discovery, around one registry."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

from aiohttp import web

from chassis.identity.access import PlatformAccess
from chassis.runtime.aiohttp import authenticated
from discovery.eureka.response_cache import EurekaResponseCache
from discovery.registry.models import RegistryClock
from discovery.registry.registry import Registry
from discovery.registry.rules import LeaseRules
from discovery.replication.peer_client import (
    PeerSettings,
    Replicas,
    cancel_and_wait,
    exit_if_failed,
)
from discovery.replication.replicated_registry import ReplicatedRegistry
from discovery.web.dashboard import Dashboard
from discovery.web.eureka_api import EurekaApi
from discovery.web.rights import RegistryRights

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

MAX_REGISTRATION_BYTES = 64 * 1024
PASSED = ("Allow", "WWW-Authenticate", "Retry-After")
READING = ("GET", "HEAD", "OPTIONS")


@web.middleware
async def without_error_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors keep their status and what goes with it, and lose their body.

    Netflix's client takes a body that comes with a 404 for an instance, and never registers again.
    """
    if not request.path.startswith("/eureka"):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPException as error:
        passed = {name: error.headers[name] for name in PASSED if name in error.headers}
        return web.Response(status=error.status, headers=passed)


def is_open(request: web.Request) -> bool:
    """Who is there anybody may read: names and addresses alone, of services that ask who calls."""
    return request.method in READING


class DiscoveryServer:
    """A registry and its replicas, for as long as `app` runs."""

    def __init__(
        self,
        access: PlatformAccess,
        rules: Callable[[], LeaseRules] = LeaseRules,
        peer_settings: Callable[[], PeerSettings] = PeerSettings,
        clock: RegistryClock | None = None,
        bind: str = "127.0.0.1",
        port: int = 8761,
        identity: Callable[[], Mapping[str, str]] = dict,
        panel: Callable[[], str] = str,
    ) -> None:
        """`identity` are the headers that show the other replicas who this is, `panel` is where
        the page leads.
        """
        clock = clock or RegistryClock()
        self.registry = Registry(clock, rules)
        self.replicas = Replicas(self.registry, clock, peer_settings, bind, port, identity)
        replicated = ReplicatedRegistry(self.registry, self.replicas)
        self.app = web.Application(
            middlewares=[without_error_bodies, authenticated(access, is_open), self._once_synced],
            client_max_size=MAX_REGISTRATION_BYTES,
        )
        cache = EurekaResponseCache(self.registry, clock)
        rights = RegistryRights(lambda: access.services)
        self.app.add_routes(EurekaApi(self.registry, replicated, cache, rights).routes())
        dashboard = Dashboard(self.registry, self.replicas, clock, panel)
        self.app.add_routes([web.get("/", dashboard.page)])
        self.app.cleanup_ctx.append(self._run)

    @web.middleware
    async def _once_synced(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Half a registry would make clients believe that the other half is gone."""
        if request.path.startswith("/eureka") and not self.replicas.synced:
            return web.Response(status=503, headers={"Retry-After": "1"})
        return await handler(request)

    async def _run(self, _: web.Application) -> AsyncIterator[None]:
        running = asyncio.create_task(self.replicas.run())
        running.add_done_callback(exit_if_failed)
        yield
        await cancel_and_wait(running)
