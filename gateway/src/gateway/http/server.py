"""The side of the clients: who is connected, and how long that may last."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from chassis.core.errors import Overloaded
from gateway.http import client_address
from gateway.http.client_connection import ClientConnection
from gateway.http.event_loop import Heartbeat
from gateway.http.framing import DateHeader
from gateway.http.messages import Handle, Refuse

log = logging.getLogger(__name__)

BACKLOG = 1024
SWEEP_SECONDS = 1.0
MOST_LINGERING = 128


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """How long a client may take, in seconds: between requests, for a head, for the next bytes.

    And how much: of headers, and of connections in all and for each.
    """

    idle: float = 75.0
    head: float = 10.0
    bytes: float = 10.0
    max_header_bytes: int = 16_384
    max_headers: int = 128
    max_connections: int = 4096
    max_connections_per_client: int = 2048


def nobody(_address: str) -> bool:
    return False


class HttpServer:
    """Calls `handle` for each request, and `refuse` for what is none or when `handle` has broken.

    `limits` is called again and again, so that a change of the settings applies; `is_proxy` says
    of an address whether many clients come from there.
    """

    def __init__(
        self,
        handle: Handle,
        refuse: Refuse,
        limits: Callable[[], ClientLimits],
        is_proxy: Callable[[str], bool] = nobody,
    ) -> None:
        self.handle = handle
        self.refuse = refuse
        self.clock = DateHeader()
        self.heartbeat = Heartbeat()
        self.limits = limits
        self.is_leaving = False
        self._is_proxy = is_proxy
        self._connections: set[ClientConnection] = set()
        self._of_clients: Counter[str] = Counter()
        self._lingering: set[ClientConnection] = set()
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
        for connection in (*self._connections, *self._lingering):
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self.heartbeat.stop()

    def entered(self, connection: ClientConnection) -> None:
        """Raises Overloaded for one connection too many, in all or of its client."""
        limits, client = self.limits(), client_address.network(connection.remote)
        if len(self._connections) >= limits.max_connections:
            self._turn_away(connection, "The shop has more connections than it can hold.")
        is_full = self._of_clients[client] >= limits.max_connections_per_client
        if is_full and not self._is_proxy(connection.remote):
            self._turn_away(connection, "There are too many connections from your address.")
        self._connections.add(connection)
        self._of_clients[client] += 1

    def _turn_away(self, connection: ClientConnection, reason: str) -> None:
        """One that is told why stays for a moment, and so not all of a flood are."""
        if len(self._lingering) < MOST_LINGERING:
            self._lingering.add(connection)
        else:
            connection.abort()
        raise Overloaded(reason)

    def left(self, connection: ClientConnection) -> None:
        self._lingering.discard(connection)
        if connection in self._connections:
            self._connections.remove(connection)
            self._forget(client_address.network(connection.remote))
        self._check_empty()

    def _forget(self, client: str) -> None:
        self._of_clients[client] -= 1
        if not self._of_clients[client]:
            del self._of_clients[client]

    def _check_empty(self) -> None:
        if self.is_leaving and not self._connections:
            self._emptied.set()

    def _sweep(self) -> None:
        """One look at all of them is cheaper than a timer for each request."""
        loop = asyncio.get_running_loop()
        for connection in tuple(self._connections):
            connection.check(loop.time())
        pause = min(SWEEP_SECONDS, self.limits().head / 2)
        self._sweeper = loop.call_later(pause, self._sweep)
