"""Wires the gateway: configuration, its one port, and the parts that every process has."""

import sys

from chassis.config.client import ConfigurationError
from chassis.runtime import lifecycle
from chassis.runtime.service import Process, begin
from chassis.web.auth import TokenVerifier
from gateway.http import event_loop
from gateway.http.server import HttpServer
from gateway.openapi import description
from gateway.openapi.pages import DescriptionPages
from gateway.proxy import actuator_pages
from gateway.proxy.handler import GatewayHandler
from gateway.rules import GatewayRules
from gateway.settings import GatewaySettings

SERVICE = "gateway"


class GatewayServer:
    """The gateway and its HTTP server, as one.  Made on the event loop."""

    def __init__(
        self,
        process: Process[GatewaySettings],
        tokens: TokenVerifier,
        rules: GatewayRules,
        pages: DescriptionPages,
    ) -> None:
        handler = self._gateway = GatewayHandler(process, tokens, rules, pages)
        self._server = HttpServer(
            handler.handle, handler.refuse, handler.client_limits, handler.is_proxy
        )

    async def open(self, host: str, port: int) -> None:
        await self._server.open(host, port)

    def leave(self) -> None:
        self._server.leave()

    async def close(self) -> None:
        await self._server.close(lifecycle.GRACE_SECONDS)
        await self._gateway.close()


async def run(
    process: Process[GatewaySettings],
    tokens: TokenVerifier,
    rules: GatewayRules,
    pages: DescriptionPages,
    port: int,
) -> None:
    await lifecycle.run(process, GatewayServer(process, tokens, rules, pages), port)


def main() -> None:
    try:
        process = begin(SERVICE, GatewaySettings)
    except ConfigurationError as error:
        sys.exit(f"cannot start: {error}")
    rules = GatewayRules(
        process.live,
        is_there=lambda target: (
            not target.is_balanced or process.balancer.has_others(target.service, target.choice)
        ),
        services=lambda: process.registry.instances,
        forget_breaker=process.policies.forget,
    )
    actuator_pages.add(process, rules)
    process.workers.add("configuration", process.configuration.poll)
    pages = description.pages_of(process, rules)
    port = int(process.environment.variables.get("GATEWAY_PORT", "8000"))
    event_loop.run(run(process, process.tokens(), rules, pages, port))


if __name__ == "__main__":
    main()
