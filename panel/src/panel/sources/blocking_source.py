"""Calls that block, each source's on a thread of its own, so that no poll waits for another.

Python's own executors wait for their threads when the process ends, and one that asks a database
which stands still would wait for ever: these threads end with the process.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class BlockingSource(Generic[T]):
    """Runs `read` when asked.  One that is not done is not begun a second time."""

    def __init__(self, name: str, read: Callable[[], T]) -> None:
        self._name = name
        self._read = read
        self._requests: SimpleQueue[asyncio.Future[T]] = SimpleQueue()
        self._under_way: asyncio.Future[T] | None = None
        self._thread: threading.Thread | None = None

    async def read(self, seconds: float) -> T:
        """Raises TimeoutError when it is not done in time, and whatever `read` raises."""
        if self._under_way is None:
            self._begin()
        assert self._under_way is not None
        return await asyncio.wait_for(asyncio.shield(self._under_way), seconds)

    def _begin(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        self._under_way = loop.create_future()
        self._under_way.add_done_callback(self._is_done)
        self._requests.put(self._under_way)

    def _is_done(self, done: asyncio.Future[T]) -> None:
        self._under_way = None
        if not done.cancelled():
            done.exception()  # whoever waited has it; nobody may have waited

    def _run(self) -> None:
        while True:
            future = self._requests.get()
            loop = future.get_loop()
            outcome: Any
            settle: Callable[[Any], None] = future.set_result
            try:
                outcome = self._read()
            # Whatever it is, it is for whoever asked.
            except Exception as error:  # noqa: BLE001
                outcome, settle = error, future.set_exception
            try:
                loop.call_soon_threadsafe(_settle, future, settle, outcome)
            except RuntimeError:  # the loop is closed: the process ends
                return


def _settle(future: asyncio.Future[Any], settle: Callable[[Any], None], outcome: Any) -> None:
    if not future.done():
        settle(outcome)
