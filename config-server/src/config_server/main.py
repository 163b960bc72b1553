"""Runs the config server: `python -m config_server.main`."""

import os
from typing import Any

from aiohttp import web

from chassis.actuator.endpoints import down, up
from chassis.core.environment import Environment
from chassis.identity.access import PlatformAccess
from chassis.messaging import kafka
from chassis.runtime.aiohttp import add_actuator, authenticated, serve
from chassis.runtime.service import Process, begin
from config_server.app import create_app
from config_server.backends.factory import build as build_backend
from config_server.backends.factory import folders
from config_server.bootstrap import bootstrap_sources, cipher_of
from config_server.http.api import is_open, template_of
from config_server.model import Backend, BackendUnavailable, UnknownLabel
from config_server.notify.announcer import Announcer
from config_server.notify.bus import ConfigBus, add_endpoints
from config_server.notify.watch import BackendWatcher
from config_server.settings import ConfigServerSettings

SERVICE = "config-server"


def build() -> tuple[Process[ConfigServerSettings], web.Application]:
    environment = Environment.read(SERVICE)
    home = folders(environment.variables.get("CONFIG_SERVER_LOCATION", "config"), environment)
    process = begin(SERVICE, ConfigServerSettings, lambda: bootstrap_sources(home, environment))
    backend = build_backend(process.settings, environment, home)
    cipher = cipher_of(
        environment, {k: value for k, (value, _) in process.configuration.flat.items()}
    )
    announcer = Announcer(lambda: process.registry.instances, process.identity)
    process.workers.add("announcer", announcer.run)
    process.workers.add("watch", BackendWatcher(backend, announcer.changed).run)
    bus = _bus(process, announcer)
    process.workers.add("bus", bus.listen)
    add_endpoints(process.actuator, bus)
    process.actuator.health.add("repository", lambda: _backend_health(backend), readiness=True)
    process.actuator.health.add("files", lambda: _files_health(backend))
    decrypts = process.settings.spring.cloud.config.server.encrypt.enabled
    app = create_app(
        backend,
        cipher,
        announcer.changed,
        decrypts,
        process.live.map(lambda settings: settings.fusebox.pages.panel),
    )
    app.middlewares.append(authenticated(PlatformAccess.of(environment), is_open))
    add_actuator(app, process, template_of)
    return process, app


def _bus(process: Process[ConfigServerSettings], announcer: Announcer) -> ConfigBus:
    environment = process.environment

    def servers() -> str:
        return process.settings.spring.kafka.bootstrap_servers

    return ConfigBus(
        f"{environment.service}:{environment.instance}",
        announcer.announce,
        lambda: kafka.listener(servers(), environment),
        lambda: kafka.producer(servers(), environment),
    )


def _backend_health(backend: Backend) -> dict[str, Any]:
    try:
        backend.stamps()
    except (BackendUnavailable, UnknownLabel) as error:
        return down(str(error), location=backend.location)
    return up(location=backend.location)


def _files_health(backend: Backend) -> dict[str, Any]:
    """Down while a file is broken; its last good version is served, if there is one."""
    try:
        problems = backend.problems()
    except (BackendUnavailable, UnknownLabel) as error:
        return down(str(error))
    return down("; ".join(problems.values()), broken=problems) if problems else up()


if __name__ == "__main__":
    serve(build, int(os.environ.get("CONFIG_SERVER_PORT", "8888")))
