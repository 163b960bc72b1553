"""Wires the gateway: configuration, its one port, and the parts that every process has."""

import sys

from chassis.config.client import ConfigurationError
from chassis.runtime import lifecycle
from chassis.runtime.service import Process, begin
from chassis.web.auth import TokenVerifier
from gateway.http import event_loop
from gateway.http.server import Door
from gateway.proxy import actuator_pages
from gateway.proxy.handler import Gateway
from gateway.rules import Policy
from gateway.settings import GatewaySettings

SERVICE = "gateway"


class Front:
    """The gateway and its door, as one server.  Made on the event loop."""

    def __init__(
        self, process: Process[GatewaySettings], tokens: TokenVerifier, policy: Policy
    ) -> None:
        self._gateway = Gateway(process, tokens, policy)
        self._door = Door(self._gateway.handle, self._gateway.refuse, self._gateway.patience)

    async def open(self, host: str, port: int) -> None:
        await self._door.open(host, port)

    def leave(self) -> None:
        self._door.leave()

    async def close(self) -> None:
        await self._door.close(lifecycle.GRACE_SECONDS)
        await self._gateway.close()


async def run(
    process: Process[GatewaySettings], tokens: TokenVerifier, policy: Policy, port: int
) -> None:
    await lifecycle.run(process, Front(process, tokens, policy), port)


def main() -> None:
    try:
        process = begin(SERVICE, GatewaySettings)
    except ConfigurationError as error:
        sys.exit(f"cannot start: {error}")
    policy = Policy(
        process.live,
        is_there=lambda target: (
            not target.is_balanced or process.balancer.has_others(target.service, target.choice)
        ),
        services=lambda: process.registry.instances,
    )
    actuator_pages.add(process, policy)
    process.workers.add("configuration", process.configuration.poll)
    port = int(process.environment.variables.get("GATEWAY_PORT", "8000"))
    event_loop.run(run(process, process.tokens(), policy, port))


if __name__ == "__main__":
    main()
