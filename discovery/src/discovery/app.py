"""The web application of discovery, around one registry."""

from collections.abc import Callable

from aiohttp import web

from discovery.api import EurekaApi, without_bodies
from discovery.models import Clock
from discovery.pages import Pages
from discovery.registry import Registry, Timing

MAX_REGISTRATION_BYTES = 64 * 1024


def create_app(
    timing: Callable[[], Timing] = Timing, clock: Clock | None = None
) -> web.Application:
    clock = clock or Clock()
    registry = Registry(clock, timing)
    app = web.Application(middlewares=[without_bodies], client_max_size=MAX_REGISTRATION_BYTES)
    app.add_routes(EurekaApi(registry, Pages(registry, clock)).routes())
    return app
