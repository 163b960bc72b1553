"""The event loop: uvloop's where it has been installed, asyncio's elsewhere; is it on time?"""

import asyncio
import math
import resource
import time
from collections.abc import Callable, Coroutine
from typing import Any

try:
    import uvloop as faster
except ImportError:  # it has no build for every platform
    import asyncio as faster  # type: ignore[no-redef]

BEAT_SECONDS = 0.1
# A beat as late as this is no matter of rounding.
LATE_SECONDS = 0.15


def new() -> asyncio.AbstractEventLoop:
    return faster.new_event_loop()


def run(work: Coroutine[Any, Any, None]) -> None:
    _allow_open_files()
    with asyncio.Runner(loop_factory=new) as runner:
        runner.run(work)


def _allow_open_files() -> None:
    """As many as the machine lets: each connection is one, and the usual limit is 1024."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Heartbeat:
    """When a request may have come, though the loop only gets to read it now.

    A loop that was busy, or had no processor for a while, reads late what the kernel has held for
    it.  The client has waited all the while: its time counts from the last moment at which the
    loop is known to have been on time.  Moments are of time.monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = self._on_time = clock()
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._last = self._on_time = self._clock()
        self._wait()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()

    def beat(self) -> None:
        now = self._clock()
        # After a late one what comes until the next may have waited too: not all is read at once.
        self._on_time = self._last if self._is_late(now) else now
        self._last = now

    def earliest(self) -> float:
        """When what is read at this moment may have come."""
        now = self._clock()
        return self._on_time if self._is_late(now) or self._on_time < self._last else now

    def _is_late(self, now: float) -> bool:
        return now - self._last > BEAT_SECONDS + LATE_SECONDS

    def _wait(self) -> None:
        self._handle = asyncio.get_running_loop().call_later(BEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        self.beat()
        self._wait()


class Timer:
    """The limit of waits that follow one another and hardly ever reach theirs.

    It calls `late` when one wait was not stopped within its timeout.  One call of the loop's serves
    many waits: it looks when the first of them would be late.
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
