"""Waiting for a condition by asking, with an end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from fusebox.core.errors import Fault

POLL_SECONDS = 0.05


class Cancelled(Exception):
    """The wait is no longer wanted: another part has failed, or the user has."""


class Late(Fault):
    """Something did not come to pass in time; it may still."""


def slowdown() -> float:
    """How many times slower a busy machine is than an idle one: its load for each core."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def wait_until(
    condition: Callable[[], bool],
    seconds: float,
    what: str,
    cancelled: threading.Event | None = None,
    pause: float = POLL_SECONDS,
) -> None:
    """Return once `condition` holds; raises Late naming `what` after `seconds`.

    They are seconds of an idle machine: of one that has three times as much to do as it can, each
    takes three.
    """
    cancelled = cancelled or threading.Event()
    began = looked = time.monotonic()
    left = seconds
    while not condition():
        if left <= 0:
            raise Late(f"{what} did not answer within {looked - began:.0f} s")
        if cancelled.wait(pause):
            raise Cancelled(what)
        before, looked = looked, time.monotonic()
        left -= (looked - before) / slowdown()
