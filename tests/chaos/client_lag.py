"""How late a busy client gets to its own work, so that its clock says what the shop has taken."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

PAUSE_SECONDS = 0.05


class ClientLag:
    """A thread that wants nothing but to wake up on time; what it is late by, others are too."""

    def __init__(self) -> None:
        self._delays: list[tuple[float, float]] = []

    @contextmanager
    def measured(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._measure, args=(stop,), name="client lag")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def within(self, began: float, ended: float) -> float:
        """Seconds, of all that this process did not come to in that time; time.monotonic's."""
        return sum(
            max(0.0, min(end, ended) - max(start, began)) for start, end in tuple(self._delays)
        )

    def _measure(self, stop: threading.Event) -> None:
        due = time.monotonic() + PAUSE_SECONDS
        while not stop.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            if now - due > PAUSE_SECONDS:
                self._delays.append((due, now))
            due = now + PAUSE_SECONDS
