"""The side of the clients: who is connected, and how long that may last."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from gateway.http.client_connection import ClientConnection
from gateway.http.event_loop import Heartbeat
from gateway.http.framing import DateHeader
from gateway.http.messages import Handle, Refuse

log = logging.getLogger(__name__)

BACKLOG = 1024
SWEEP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a client may take, in seconds: between requests, for a head, for the next bytes."""

    idle: float = 75.0
    head: float = 10.0
    bytes: float = 10.0
    max_header_bytes: int = 16_384


class HttpServer:
    """Calls `handle` for each request, and `refuse` for what is none or when `handle` has broken.

    `timeouts` is called again and again, so that a change of the settings applies.
    """

    def __init__(self, handle: Handle, refuse: Refuse, timeouts: Callable[[], Timeouts]) -> None:
        self.handle = handle
        self.refuse = refuse
        self.clock = DateHeader()
        self.heartbeat = Heartbeat()
        self.timeouts = timeouts
        self.is_leaving = False
        self._connections: set[ClientConnection] = set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._emptied = asyncio.Event()

    async def open(self, host: str, port: int) -> int:
        """Listen, and return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: ClientConnection(self), host, port, backlog=BACKLOG
        )
        self.heartbeat.start()
        self._sweep()
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def leave(self) -> None:
        """Nobody new is let in, and who is in is asked to go with the next answer."""
        self.is_leaving = True
        if self._server is not None:
            self._server.close()

    async def close(self, grace: float) -> None:
        """Let what is under way finish, `grace` seconds at the most."""
        self.leave()
        for connection in tuple(self._connections):
            connection.close_if_idle()
        self._check_empty()
        try:
            async with asyncio.timeout(grace):
                await self._emptied.wait()
        except TimeoutError:
            log.warning("%d requests did not end in time", len(self._connections))
        for connection in tuple(self._connections):
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self.heartbeat.stop()

    def entered(self, connection: ClientConnection) -> None:
        self._connections.add(connection)

    def left(self, connection: ClientConnection) -> None:
        self._connections.discard(connection)
        self._check_empty()

    def _check_empty(self) -> None:
        if self.is_leaving and not self._connections:
            self._emptied.set()

    def _sweep(self) -> None:
        """One look at all of them is cheaper than a timer for each request."""
        loop = asyncio.get_running_loop()
        for connection in tuple(self._connections):
            connection.check(loop.time())
        pause = min(SWEEP_SECONDS, self.timeouts().head / 2)
        self._sweeper = loop.call_later(pause, self._sweep)
