"""Retry policy: exponential backoff with jitter until a deadline, stopped for all at once."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from fusebox.core.errors import Fault

# Longer than a manual repair, and than the 30 s for which a dead instance's claim of an
# idempotency key stands.
RETRY_SECONDS = 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0

T = TypeVar("T")


class ReplayStopped(Exception):
    """Another worker has failed, or the user has interrupted: there is nothing more to do."""


class TransientError(Exception):
    """A failure that may be over soon; `after` is the Retry-After of the answer, in seconds."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.after = after


class RetryPolicy:
    """Shared by all workers; `retried` counts the requests that were repeated."""

    def __init__(self, seconds: float = RETRY_SECONDS) -> None:
        self.stop = threading.Event()
        self.retried = 0
        self._seconds = seconds
        self._counting = threading.Lock()

    def call(self, attempt: Callable[[], T], what: str) -> T:
        """What `attempt` returns once it raises no TransientError; if it never does, a Fault.

        Raises ReplayStopped when it is all over meanwhile.
        """
        end, pause = time.monotonic() + self._seconds, FIRST_PAUSE
        while True:
            try:
                return attempt()
            except TransientError as error:
                if time.monotonic() > end:
                    raise self._exhausted(what, error) from error
                retry_after = error.after
            with self._counting:
                self.retried += 1
            # Jitter: not all workers at the same moment, when all have met the same fault.
            self.sleep(min(max(pause, retry_after), LONGEST_PAUSE) * random.uniform(0.75, 1.25))
            pause *= 2

    def sleep(self, seconds: float) -> None:
        """Raises ReplayStopped, at once, when it is all over."""
        if self.stop.wait(min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            raise ReplayStopped

    def _exhausted(self, what: str, error: TransientError) -> Fault:
        return Fault(
            f"the shop stopped answering: {what} got no proper answer for {self._seconds:.0f} s",
            where=f"The last was: {error.why}",
            remedy="see `make status`, repair the shop, and replay again; a new replay has "
            "products of its own, and `make verify` judges the orders of this one.",
        )
