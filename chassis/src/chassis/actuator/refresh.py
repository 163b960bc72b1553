"""A changed configuration without a restart: the endpoints that ask for it, here and everywhere."""

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
from chassis.core.environment import Environment
from chassis.core.errors import Problem, Unavailable
from chassis.core.internal_http import internal_session
from chassis.identity.assertions import OwnIdentity

TIMEOUT = (0.5, 10)


def add(
    actuator: Actuator,
    configuration: ConfigClient[Any],
    environment: Environment,
    identity: OwnIdentity,
) -> None:
    def refresh(_: ActuatorRequest) -> ActuatorResponse:
        try:
            return json_response(configuration.refresh())
        except ConfigurationError as error:
            raise Problem(str(error), code="not-refreshed") from error

    def everywhere(request: ActuatorRequest) -> ActuatorResponse:
        """config-server publishes on the bus for all, so that nobody else needs Kafka for it."""
        path = f"/{request.name}" if request.name != "busrefresh" else ""
        url = f"{environment.config_server}/actuator/busrefresh{path}"
        try:
            with internal_session() as session:
                response = session.post(
                    url, headers=identity.headers("config-server"), timeout=TIMEOUT
                )
        except requests.RequestException as error:
            raise Unavailable(
                "config-server does not answer, so no process was notified."
            ) from error
        return ActuatorResponse(response.content, response.status_code)

    actuator.add("refresh", refresh, method="POST")
    actuator.add("busrefresh", everywhere, method="POST")
    actuator.add("busrefresh" + ANY, everywhere, method="POST")
