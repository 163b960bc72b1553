"""Wires the gateway: configuration, its one port, and the parts that every process has."""

import asyncio
import gc
import logging
import signal
import sys

from chassis import refreshing
from chassis.configuration import ConfigurationError
from chassis.process import Process, begin
from chassis.tokens import Tokens
from gateway import pages
from gateway.app import Gateway
from gateway.settings import GatewaySettings
from gateway.transport import loops
from gateway.transport.server import Door

log = logging.getLogger(__name__)

SERVICE = "gateway"
# Clients that keep a connection get one more answer on it, which tells them to go.
DRAIN_SECONDS = 1.5
GRACE_SECONDS = 5.0
# The default of 700 allocations makes the collector run many times a request, each over all that
# start-up left behind.
GC_THRESHOLD = 20_000


async def run(process: Process[GatewaySettings], tokens: Tokens, port: int) -> None:
    """From the first request to the last, until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    gateway = Gateway(process, tokens)
    door = Door(gateway.handle, gateway.refuse, gateway.patience)
    await door.open(process.environment.bind, port)
    process.start(port)
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    log.info("listening on %s:%d", process.environment.bind, port)
    await ended.wait()
    door.leave()
    await asyncio.to_thread(process.leave)
    await asyncio.sleep(DRAIN_SECONDS)
    await door.close(GRACE_SECONDS)
    gateway.close()
    await asyncio.to_thread(process.stop)


def main() -> None:
    try:
        process = begin(SERVICE, GatewaySettings)
    except ConfigurationError as error:
        sys.exit(f"cannot start: {error}")
    pages.add(process)
    process.workers.add("configuration", refreshing.keep_asking(process.configuration))
    port = int(process.environment.variables.get("GATEWAY_PORT", "8000"))
    loops.run(run(process, process.tokens(), port))


if __name__ == "__main__":
    main()
