"""How long a shop in trouble is waited for, and when everybody stops."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from fusebox.core.errors import Fault

# Longer than a repair by hand, and than the 30 s for which a dead instance's claim of an
# idempotency key stands.
PATIENCE_SECONDS = 120.0
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0

T = TypeVar("T")


class Stopped(Exception):
    """Another hand has failed, or the user has had enough: there is nothing more to do."""


class Passing(Exception):
    """Trouble that may be over soon; `after` is how many seconds the shop wants to be left."""

    def __init__(self, why: str, after: float = 0.0) -> None:
        super().__init__(why)
        self.why = why
        self.after = after


class Patience:
    """Shared by all hands; `retried` counts how often one had to ask again."""

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self.stop = threading.Event()
        self.retried = 0
        self._seconds = seconds
        self._counting = threading.Lock()

    def persist(self, attempt: Callable[[], T], what: str) -> T:
        """What `attempt` returns once it raises no Passing; a Fault naming `what` if it never does.

        Raises Stopped when it is all over meanwhile.
        """
        end, pause = time.monotonic() + self._seconds, FIRST_PAUSE
        while True:
            try:
                return attempt()
            except Passing as trouble:
                if time.monotonic() > end:
                    raise self._exhausted(what, trouble) from trouble
                wanted = trouble.after
            with self._counting:
                self.retried += 1
            # Not all hands at the same moment, when all have met the same fault.
            self.sleep(min(max(pause, wanted), LONGEST_PAUSE) * random.uniform(0.75, 1.25))
            pause *= 2

    def sleep(self, seconds: float) -> None:
        """Raises Stopped, at once, when it is all over."""
        if self.stop.wait(min(max(seconds, 0.0), threading.TIMEOUT_MAX)):
            raise Stopped

    def _exhausted(self, what: str, trouble: Passing) -> Fault:
        return Fault(
            f"the shop stays away: {what} found no proper answer for {self._seconds:.0f} s",
            where=f"The last was: {trouble.why}",
            remedy="see `make status`, repair the shop, and replay again; a new replay has "
            "products of its own, and `make verify` judges the orders of this one.",
        )
