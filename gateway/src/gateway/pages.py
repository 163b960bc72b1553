"""What the gateway adds to its actuator: its routes, and whether it knows whom to send to."""

from typing import Any

from chassis.actuator import Asked, Reply, down, reply, up
from chassis.process import Process
from gateway.settings import GatewaySettings


def add(process: Process[GatewaySettings]) -> None:
    def routes(_: Asked) -> Reply:
        found = process.settings.spring.cloud.gateway.routes
        return reply([route.described() for route in found])

    def discovery() -> dict[str, Any]:
        if not process.registry.fetched.is_set():
            return down("discovery has not answered yet")
        known = process.registry.instances
        return up(instances={name: len(them) for name, them in known.items()})

    process.actuator.add("gateway/routes", routes)
    process.actuator.health.add("discovery", discovery, readiness=True)
