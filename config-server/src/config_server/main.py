"""Runs the config server: `python -m config_server.main`."""

import os
from pathlib import Path
from typing import Any

from aiohttp import web

from chassis.actuator import down, up
from chassis.aiohttp_adapter import add_actuator, serve
from chassis.configuration import ConfigurationError
from chassis.environment import Environment
from chassis.process import Process, begin
from chassis.settings import Settings
from config_server.app import create_app
from config_server.documents import Unreadable
from config_server.repository import Repository

SERVICE = "config-server"


def build() -> tuple[Process[Settings], web.Application]:
    environment = Environment.read(SERVICE)
    repository = Repository(_location(environment))

    # It cannot ask itself before it runs, and reads the same files by the same rules.
    def own_sources() -> list[dict[str, Any]]:
        try:
            found = repository.find(SERVICE, environment.profile)
        except Unreadable as error:
            raise ConfigurationError(str(error)) from error
        return [{"name": source.name, "source": source.plain()} for source in found]

    process = begin(SERVICE, Settings, own_sources)
    process.actuator.health.add("repository", lambda: _health(repository), readiness=True)
    app = create_app(repository)
    add_actuator(app, process)
    return process, app


def _location(environment: Environment) -> Path:
    location = Path(environment.variables.get("CONFIG_SERVER_LOCATION", "config"))
    if not location.is_dir():
        raise ConfigurationError(f"CONFIG_SERVER_LOCATION is {location}, and that is no folder")
    return location


def _health(repository: Repository) -> dict[str, Any]:
    location = str(repository.location)
    if not repository.location.is_dir():
        return down("the folder is gone", location=location)
    return up(location=location)


if __name__ == "__main__":
    serve(build, int(os.environ.get("CONFIG_SERVER_PORT", "8888")))
