"""A changed configuration without a restart: the endpoints that ask for it, here and everywhere."""

import logging
import threading
from typing import Any

import requests

from chassis.actuator.endpoints import (
    ANY,
    Actuator,
    ActuatorRequest,
    ActuatorResponse,
    json_response,
)
from chassis.config.client import ConfigClient, ConfigurationError
from chassis.core import log_levels
from chassis.core.environment import Environment
from chassis.core.errors import Problem, Unavailable
from chassis.core.workers import Run

log = logging.getLogger(__name__)

TIMEOUT = (0.5, 10)
ASK_SECONDS = 1.0


def apply(configuration: ConfigClient[Any]) -> list[str]:
    """Ask anew and take over what came; the keys that changed.  Raises ConfigurationError."""
    changed = configuration.refresh()
    if "logging.level.root" in changed:
        log_levels.configure(configuration.current.logging.level.root)
    if changed:
        log.info("configuration changed: %s", ", ".join(changed))
    return changed


def keep_asking(configuration: ConfigClient[Any]) -> Run:
    """For a process that config-server cannot tell of a change, as its actuator wants a token."""

    def run(stop: threading.Event) -> None:
        told = ""
        while not stop.wait(ASK_SECONDS):
            try:
                apply(configuration)
                told = ""
            except ConfigurationError as error:
                if configuration.refused not in ("", told):
                    log.warning("the new configuration is refused: %s", error)
                told = configuration.refused

    return run


def add(actuator: Actuator, configuration: ConfigClient[Any], environment: Environment) -> None:
    def refresh(_: ActuatorRequest) -> ActuatorResponse:
        try:
            return json_response(apply(configuration))
        except ConfigurationError as error:
            raise Problem(str(error), code="not-refreshed") from error

    def everywhere(request: ActuatorRequest) -> ActuatorResponse:
        """config-server speaks on the bus for all, so that nobody else needs Kafka for it."""
        path = f"/{request.name}" if request.name != "busrefresh" else ""
        url = f"{environment.config_server}/actuator/busrefresh{path}"
        try:
            answer = requests.post(url, timeout=TIMEOUT)
        except requests.RequestException as error:
            raise Unavailable("config-server does not answer, so nobody was told.") from error
        return ActuatorResponse(answer.content, answer.status_code)

    actuator.add("refresh", refresh, method="POST")
    actuator.add("busrefresh", everywhere, method="POST")
    actuator.add("busrefresh" + ANY, everywhere, method="POST")
