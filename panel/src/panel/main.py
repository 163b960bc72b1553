"""Runs the panel: `python -m panel.main`."""

import os

from aiohttp import web

from chassis.runtime.aiohttp import add_actuator, serve
from chassis.runtime.service import Process, begin
from fusebox.core.stack import Stack
from panel.settings import PanelSettings
from panel.sources.watch import ShopWatch
from panel.web.app import PanelServer


def own_port() -> int:
    """PANEL_PORT is the published one, which differs from that inside of a container."""
    return int(os.environ.get("PORT") or os.environ.get("PANEL_PORT") or "8080")


def build() -> tuple[Process[PanelSettings], web.Application]:
    process = begin("panel", PanelSettings)
    stack = Stack.from_environment(os.environ)
    settings = process.live.map(lambda settings: settings.fusebox.panel)
    server = PanelServer(lambda on_change: ShopWatch(stack, settings, on_change))
    add_actuator(server.app, process)
    return process, server.app


if __name__ == "__main__":
    serve(build, own_port())
