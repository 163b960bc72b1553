"""Runs the panel: `python -m panel.main`."""

import os

from aiohttp import web

from chassis.identity.access import PlatformAccess
from chassis.runtime.aiohttp import add_actuator, authenticated, serve
from chassis.runtime.service import Process, begin
from fusebox.core.stack import Stack
from panel.settings import PanelSettings
from panel.sources.credentials import credentials
from panel.sources.watch import ShopWatch
from panel.web.app import PanelServer
from panel.web.origin import authorities, is_public
from panel.web.session import AdminSession

DEFAULT_PORT = 8080


def published_port() -> int:
    return int(os.environ.get("PANEL_PORT") or DEFAULT_PORT)


def own_port() -> int:
    """Where it listens: in a container not at the port that is published."""
    return int(os.environ.get("PORT") or published_port())


def is_open(request: web.Request) -> bool:
    """All but the inner pages, which are for the shop's own processes."""
    return not request.path.startswith("/actuator") or is_public(request.method, request.path)


def build() -> tuple[Process[PanelSettings], web.Application]:
    process = begin("panel", PanelSettings)
    stack, environment = Stack.from_environment(os.environ), process.environment
    settings = process.live.map(lambda settings: settings.fusebox.panel)
    allowed = settings.map(
        lambda panel: authorities(
            (environment.bind, environment.address), (own_port(), published_port()), panel.hosts
        )
    )
    server = PanelServer(
        lambda on_change: ShopWatch(
            stack, settings, credentials(stack), lambda: process.registry.instances, on_change
        ),
        AdminSession(lambda: environment.secret("admin-password")),
        allowed,
        lambda: settings.value.hands,
        os.environ,
    )
    server.app.middlewares.append(authenticated(PlatformAccess.of(environment), is_open))
    add_actuator(server.app, process)
    return process, server.app


if __name__ == "__main__":
    serve(build, own_port())
