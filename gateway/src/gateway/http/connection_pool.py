"""Connections to instances, kept while they may be of use again."""

import asyncio
from collections import deque

from chassis.discovery.instances import authority
from gateway.http.upstream_connection import UpstreamConnection
from gateway.http.upstream_messages import NotConnected

# Less than the services keep theirs, so that none is closed there while it is taken here.
KEEPALIVE_SECONDS = 30.0
SWEEP_SECONDS = 5.0

Place = tuple[str, int]


class ConnectionPool:
    """The connection used last is used next, so that those of a busy hour grow old and close."""

    def __init__(self) -> None:
        self._free: dict[Place, deque[UpstreamConnection]] = {}
        self._loop = asyncio.get_running_loop()
        self._is_open = True
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    def take(self, host: str, port: int) -> UpstreamConnection | None:
        """A free connection that may be used, if there is one."""
        now = self._loop.time()
        free = self._free.get((host, port))
        while free:
            known = free.pop()
            if now - known.free_since < KEEPALIVE_SECONDS and known.is_fresh(now):
                return known
            known.close()
        return None

    async def connect(self, host: str, port: int, timeout: float) -> UpstreamConnection:
        """A new one, within `timeout` seconds.  Raises NotConnected."""

        def freed(connection: UpstreamConnection) -> None:
            self._put((host, port), connection)

        try:
            async with asyncio.timeout(timeout):
                _, made = await self._loop.create_connection(
                    lambda: UpstreamConnection(authority(host, port), freed), host, port
                )
        except (OSError, TimeoutError, UnicodeError) as error:  # UnicodeError: no name of a host
            raise NotConnected(authority(host, port)) from error
        return made

    def _put(self, place: Place, connection: UpstreamConnection) -> None:
        if self._is_open:
            self._free.setdefault(place, deque()).append(connection)
        else:
            connection.close()

    def close(self) -> None:
        self._is_open = False
        self._sweeper.cancel()
        for free in self._free.values():
            for connection in free:
                connection.close()
        self._free.clear()

    def _sweep(self) -> None:
        """Close what has been free for too long, and forget places that nobody asks any more."""
        oldest = self._loop.time() - KEEPALIVE_SECONDS
        for place, free in tuple(self._free.items()):
            while free and free[0].free_since < oldest:
                free.popleft().close()
            if not free:
                del self._free[place]
        self._sweeper = self._loop.call_later(SWEEP_SECONDS, self._sweep)
