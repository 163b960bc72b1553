"""Wires the gateway: configuration, its one port, and the parts that every process has."""

import asyncio
import sys

from aiohttp import web

from chassis import aiohttp_adapter, refreshing
from chassis.configuration import ConfigurationError
from chassis.process import Process, begin
from chassis.tokens import Tokens
from gateway import pages
from gateway.app import Gateway
from gateway.server import Door
from gateway.settings import GatewaySettings

SERVICE = "gateway"


async def run(process: Process[GatewaySettings], tokens: Tokens, port: int) -> None:
    gateway = Gateway(process, tokens)
    door = Door(
        gateway.handle,
        gateway.refuse,
        gateway.rules.limits.max_header_bytes,
        keepalive_timeout=aiohttp_adapter.KEEPALIVE_SECONDS,
    )
    runner = web.ServerRunner(door, shutdown_timeout=aiohttp_adapter.GRACE_SECONDS)
    await aiohttp_adapter.run(process, runner, port)
    await gateway.close()


def main() -> None:
    try:
        process = begin(SERVICE, GatewaySettings)
    except ConfigurationError as error:
        sys.exit(f"cannot start: {error}")
    pages.add(process)
    process.workers.add("configuration", refreshing.keep_asking(process.configuration))
    port = int(process.environment.variables.get("GATEWAY_PORT", "8000"))
    asyncio.run(run(process, process.tokens(), port))


if __name__ == "__main__":
    main()
