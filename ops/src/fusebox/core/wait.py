"""Waiting for a condition by asking, with an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fusebox.core.errors import Fault

POLL_SECONDS = 0.05


class Cancelled(Exception):
    """The wait is no longer wanted: another part has failed, or the user has."""


def wait_until(
    condition: Callable[[], bool],
    seconds: float,
    what: str,
    cancelled: threading.Event | None = None,
    pause: float = POLL_SECONDS,
) -> None:
    """Return once `condition` holds; raises Fault naming `what` after `seconds`."""
    cancelled = cancelled or threading.Event()
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Fault(f"{what} did not answer within {seconds:.0f} s")
        if cancelled.wait(pause):
            raise Cancelled(what)
