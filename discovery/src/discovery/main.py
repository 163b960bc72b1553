"""Runs discovery: `python -m discovery.main`."""

import os

from aiohttp import web

from chassis.aiohttp_adapter import add_actuator, serve
from chassis.process import Process, begin
from discovery.app import create_app
from discovery.settings import DiscoverySettings


def build() -> tuple[Process[DiscoverySettings], web.Application]:
    process = begin("discovery", DiscoverySettings)
    app = create_app(lambda: process.settings.eureka.server.timing())
    add_actuator(app, process)
    return process, app


if __name__ == "__main__":
    serve(build, int(os.environ.get("DISCOVERY_PORT", "8761")))
