"""The limit of a wait, for waits that follow one another and hardly ever reach theirs."""

import asyncio
import math
from collections.abc import Callable


class Timer:
    """Calls `late` when one wait was not stopped within its timeout.

    One call of the loop's serves many waits: it looks when the first of them would be late.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, late: Callable[[], None]) -> None:
        self._loop = loop
        self._late = late
        self._due = math.inf
        self._looks_at = math.inf
        self._look_handle: asyncio.TimerHandle | None = None

    def start(self, timeout: float) -> None:
        self._due = self._loop.time() + timeout
        if self._due < self._looks_at:
            self.end()
            self._look_at(self._due)

    def stop(self) -> None:
        self._due = math.inf

    def end(self) -> None:
        """No wait will follow."""
        if self._look_handle is not None:
            self._look_handle.cancel()

    def _look_at(self, moment: float) -> None:
        self._looks_at = moment
        self._look_handle = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        self._looks_at, self._look_handle = math.inf, None
        if self._due <= self._loop.time():
            self._late()
        elif self._due < math.inf:
            self._look_at(self._due)
