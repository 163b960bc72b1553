"""Exponential back-off: the pause after a failure grows with each one in a row, up to a limit.

With jitter, as in "Exponential Backoff and Jitter" of the AWS Architecture Blog, where many might
fail at the same moment.
"""

import math
import random
import threading
import time
from collections.abc import Callable


class Backoff:
    """`next` and `wait` follow a failure, `reset` a success.

    All times are in seconds.  A pause varies by the share `jitter` to either side.
    """

    def __init__(
        self,
        first: float,
        longest: float,
        *,
        factor: float = 2.0,
        jitter: float = 0.0,
        max_elapsed: float = math.inf,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._first = first
        self._longest = longest
        self._factor = factor
        self._jitter = jitter
        self._max_elapsed = max_elapsed
        self._clock = clock
        self._draw = draw
        self.reset()

    def reset(self) -> None:
        self._pause = self._first
        self._end = self._clock() + self._max_elapsed

    @property
    def is_over(self) -> bool:
        """Whether the next pause would end later than `max_elapsed` after the last reset."""
        return self._clock() + self._pause > self._end

    def next(self) -> float:
        """How long to pause now."""
        pause = self._pause
        self._pause = min(pause * self._factor, self._longest)
        return pause * self._draw(1 - self._jitter, 1 + self._jitter) if self._jitter else pause

    def wait(self, stop: threading.Event) -> bool:
        """Pause, or until `stop` is set; whether it is."""
        return stop.wait(self.next())
