"""After 101: bytes of a protocol that is none of the gateway's business, both ways."""

import asyncio


class Tunnel:
    """The upstream's end, until `join` is given the client's.

    `first` is what the upstream sent right after its 101, `protocol` what it has agreed to.
    """

    def __init__(
        self, upstream: asyncio.Transport, protocol: str, first: bytes, idle: float
    ) -> None:
        self.protocol = protocol
        self._upstream = upstream
        self._first = first
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._watching: asyncio.TimerHandle | None = None
        self._half_closed = 0
        self._is_joined = False
        self.last_used = self._loop.time()

    async def join(self, client: asyncio.Transport, first: bytes) -> None:
        """Until both ends have closed, one has broken, or nothing has passed for too long."""
        self._is_joined = True
        ends = (_End(self, client, self._upstream), _End(self, self._upstream, client))
        try:
            for end, early in zip(ends, (first, self._first), strict=True):
                end.own.set_protocol(end)
                end.data_received(early)
                end.own.resume_reading()
            if client.is_closing() or self._upstream.is_closing():
                self.ended()  # before anybody was there to be told
            self._watch()
            await self._ended
        finally:
            if self._watching is not None:
                self._watching.cancel()
            for end in ends:
                end.own.close()

    def close(self) -> None:
        """For a tunnel that is not wanted after all."""
        if not self._is_joined:
            self._upstream.abort()

    def half_closed(self) -> None:
        self._half_closed += 1
        if self._half_closed == 2:
            self.ended()

    def ended(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _watch(self) -> None:
        left = self.last_used + self._idle - self._loop.time()
        if left <= 0:
            self.ended()
        elif not self._ended.done():
            self._watching = self._loop.call_later(left, self._watch)


class _End(asyncio.Protocol):
    """What arrives at one end leaves at the other, no faster than it is taken there."""

    def __init__(self, tunnel: Tunnel, own: asyncio.Transport, other: asyncio.Transport) -> None:
        self._tunnel = tunnel
        self.own = own
        self._other = other

    def data_received(self, data: bytes) -> None:
        self._tunnel.last_used = asyncio.get_running_loop().time()
        if data and not self._other.is_closing():
            self._other.write(data)

    def pause_writing(self) -> None:
        self._other.pause_reading()

    def resume_writing(self) -> None:
        if not self._other.is_closing():
            self._other.resume_reading()

    def eof_received(self) -> bool:
        """Stays open: the other direction may have more to say."""
        if not self._other.is_closing():
            self._other.write_eof()
        self._tunnel.half_closed()
        return True

    def connection_lost(self, _error: Exception | None) -> None:
        self._tunnel.ended()
