"""What the gateway adds to its actuator: its routes, and whether it knows whom to send to."""

from typing import Any

from chassis.actuator.endpoints import (
    ANY,
    ActuatorRequest,
    ActuatorResponse,
    down,
    json_response,
    up,
)
from chassis.core.errors import NotFound
from chassis.runtime.service import Process
from gateway.rules import GatewayRules
from gateway.settings import GatewaySettings


def add(process: Process[GatewaySettings], rules: GatewayRules) -> None:
    def routes(_: ActuatorRequest) -> ActuatorResponse:
        return json_response(rules.described())

    def route(request: ActuatorRequest) -> ActuatorResponse:
        for description in rules.described():
            if description["route_id"] == request.name:
                return json_response(description)
        raise NotFound(f"There is no route {request.name}.")

    def discovery() -> dict[str, Any]:
        if not process.registry.fetched.is_set():
            return down("discovery has not answered yet")
        known = process.registry.instances
        return up(instances={name: len(them) for name, them in known.items()})

    def canaries() -> dict[str, Any]:
        """That one was not fit says nothing against the gateway."""
        return up(relapsed=rules.canaries.rolled_back())

    process.actuator.add("gateway/routes", routes)
    process.actuator.add("gateway/routes" + ANY, route)
    process.actuator.health.add("canaries", canaries)
    process.actuator.health.add("discovery", discovery, readiness=True)
