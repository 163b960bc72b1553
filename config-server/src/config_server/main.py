"""Runs the config server: `python -m config_server.main`."""

import os
from pathlib import Path
from typing import Any

from aiohttp import web

from chassis.actuator import down, up
from chassis.aiohttp_adapter import add_actuator, serve
from chassis.environment import Environment
from chassis.process import Process, begin
from config_server.app import create_app
from config_server.backends.building import build as build_backend
from config_server.backends.building import folder
from config_server.model import Away, Backend, UnknownLabel
from config_server.own import cipher_of, own_sources
from config_server.settings import ConfigServerSettings
from config_server.watch import Watch, to_the_log

SERVICE = "config-server"


def build() -> tuple[Process[ConfigServerSettings], web.Application]:
    environment = Environment.read(SERVICE)
    home = folder(Path(environment.variables.get("CONFIG_SERVER_LOCATION", "config")), environment)
    process = begin(SERVICE, ConfigServerSettings, lambda: own_sources(home, environment))
    backend = build_backend(process.settings, environment, home)
    cipher = cipher_of(
        environment, {k: value for k, (value, _) in process.configuration.flat.items()}
    )
    changed = to_the_log
    process.workers.add("watch", Watch(backend, changed).run)
    process.actuator.health.add("repository", lambda: _answering(backend), readiness=True)
    process.actuator.health.add("files", lambda: _sound(backend))
    decrypts = process.settings.spring.cloud.config.server.encrypt.enabled
    app = create_app(backend, cipher, changed, decrypts)
    add_actuator(app, process)
    return process, app


def _answering(backend: Backend) -> dict[str, Any]:
    try:
        backend.stamps()
    except (Away, UnknownLabel) as error:
        return down(str(error), location=backend.location)
    return up(location=backend.location)


def _sound(backend: Backend) -> dict[str, Any]:
    """What is broken; the last good version of it is served, if there ever was one."""
    try:
        problems = backend.problems()
    except (Away, UnknownLabel) as error:
        return down(str(error))
    return down("; ".join(problems.values()), broken=problems) if problems else up()


if __name__ == "__main__":
    serve(build, int(os.environ.get("CONFIG_SERVER_PORT", "8888")))
