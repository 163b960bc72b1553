"""The life of a process on an event loop, from its first request to its last."""

import asyncio
import logging
import signal
from typing import Any, Protocol

from chassis.runtime import collector
from chassis.runtime.service import Process

log = logging.getLogger(__name__)

# Who has fetched the registry's list before we left it still calls; and a client that keeps a
# connection may get one more answer on it, which tells it to go.
DRAIN_SECONDS = 1.5
GRACE_SECONDS = 5.0


class Server(Protocol):
    """`leave` announces the end, `close` lets what is under way finish."""

    async def open(self, host: str, port: int) -> None: ...

    def leave(self) -> None: ...

    async def close(self) -> None: ...


async def run(process: Process[Any], server: Server, port: int) -> None:
    """Until SIGTERM or SIGINT: out of the registry, finish, end."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await server.open(process.environment.bind, port)
    process.start(port)
    collector.after_start()
    log.info("listening on %s:%d", process.environment.bind, port)
    await ended.wait()
    server.leave()
    await asyncio.to_thread(process.leave)
    await asyncio.sleep(DRAIN_SECONDS)
    await server.close()
    await asyncio.to_thread(process.stop)
