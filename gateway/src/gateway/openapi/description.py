"""Keeps the description of the shop's API: what the services behind the routes say of theirs."""

from typing import Any

from chassis.core.errors import Unavailable
from chassis.discovery.instances import Snapshot
from chassis.resilience.service_client import ServiceClient
from chassis.runtime.service import Process
from gateway.openapi.document import DescribedService
from gateway.openapi.pages import DescriptionPages
from gateway.openapi.service_descriptions import ServiceDescription, ServiceDescriptions
from gateway.rules import GatewayRules
from gateway.settings import GatewaySettings

ENDPOINT = "/actuator/openapi"
NOT_DESCRIBED = ServiceDescription(None)


def pages_of(process: Process[GatewaySettings], rules: GatewayRules) -> DescriptionPages:
    """The pages; a worker of `process` asks the services."""
    clients: dict[str, ServiceClient] = {}

    def instances() -> Snapshot:
        known = process.registry.instances
        return {name: known[name] for name in set(rules.mounted().values()) if name in known}

    def fetch(service: str) -> dict[str, Any] | None:
        if service not in clients:
            clients[service] = process.background_client(service)
        return _description(clients[service])

    descriptions = ServiceDescriptions(instances, fetch)
    process.workers.add("descriptions", descriptions.run)

    def described() -> list[DescribedService]:
        known = descriptions.known
        return [
            DescribedService(f"/{segment}", service, known.get(service, NOT_DESCRIBED))
            for segment, service in rules.mounted().items()
        ]

    return DescriptionPages(described, process.environment.version)


def _description(service: ServiceClient) -> dict[str, Any] | None:
    response = service.get(ENDPOINT, ENDPOINT)
    if response.status_code != 200:
        return None
    try:
        document = response.json()
    except ValueError as error:
        raise Unavailable(f"{service.service} gave no JSON for its description.") from error
    return document if isinstance(document, dict) else None
