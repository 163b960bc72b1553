"""A body on its way from one connection to another, never more of it at hand than a little."""

import asyncio
from collections import deque
from collections.abc import Callable

# Above the one its sender is paused, below the other it may go on.
FULL = 131_072
ROOM = 32_768


class BodyStream:
    """Chunks in their order.  Whoever feeds it is told through `flow` when `is_full` changes.

    `length` is what was announced, None when nothing was.  `on_first_read` is called before the
    first wait: then a client that expects 100 is told to go on.
    """

    __slots__ = (
        "_chunks",
        "_error",
        "_flow",
        "_size",
        "_waiter",
        "has_ended",
        "is_full",
        "length",
        "on_first_read",
    )

    def __init__(self, flow: Callable[[], None], length: int | None) -> None:
        self.length = length
        self.on_first_read: Callable[[], None] | None = None
        self.is_full = False
        self.has_ended = False
        self._flow = flow
        self._chunks: deque[bytes] = deque()
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: Exception | None = None

    def feed(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._wake()
        if self._size > FULL and not self.is_full:
            self.is_full = True
            self._flow()

    def end(self) -> None:
        self.has_ended = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """What has come can still be read; then `error` is raised."""
        if not self.has_ended:
            self._error = error
            self.end()

    @property
    def is_whole(self) -> bool:
        return self.has_ended and self._error is None

    def taken(self) -> bytes:
        """All that is there, at once."""
        chunk = b"".join(self._chunks)
        self._chunks.clear()
        self._size = 0
        self._relax()
        return chunk

    async def next(self, timeout: float | None) -> bytes:
        """The next chunk, b"" at the end.  TimeoutError when none comes within the time."""
        if not self._chunks and not self.has_ended:
            await self._wait(timeout)
        if self._chunks:
            chunk = self._chunks.popleft()
            self._size -= len(chunk)
            self._relax()
            return chunk
        if self._error is not None:
            raise self._error
        return b""

    def _relax(self) -> None:
        if self.is_full and self._size < ROOM:
            self.is_full = False
            self._flow()

    async def _wait(self, timeout: float | None) -> None:
        if self.on_first_read is not None:
            self.on_first_read()
            self.on_first_read = None
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(timeout):
                await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
