"""Background threads with a name, a way to stop, and one answer to their death.

They start after gunicorn has forked and stop in the reverse order.  A worker that dies takes the
process with it, so that the supervisor starts a whole one: no silent half-dead instance.
"""

import logging
import os
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

Run = Callable[[threading.Event], None]
STOP_SECONDS = 2.5
EXIT_BROKEN = 70  # EX_SOFTWARE of sysexits.h


class Workers:
    def __init__(self, on_death: Callable[[str], None] | None = None) -> None:
        self._on_death = on_death or _end_the_process
        self._planned: list[tuple[str, Run]] = []
        self._running: list[tuple[threading.Thread, threading.Event]] = []

    def add(self, name: str, run: Run) -> None:
        """Plan `run(stop)`: it returns soon after the event `stop` is set, and not before."""
        self._planned.append((name, run))

    def start(self) -> None:
        for name, run in self._planned:
            stop = threading.Event()
            thread = threading.Thread(
                target=self._guard, args=(name, run, stop), name=name, daemon=True
            )
            self._running.append((thread, stop))
            thread.start()

    def stop(self, only: str | None = None, timeout: float = STOP_SECONDS) -> None:
        """Stop all, the last started first, or `only` one; together in at most `timeout` seconds.

        Who has not ended by then ends with the process.
        """
        deadline = time.monotonic() + timeout
        for thread, stop in reversed(self._running):
            if only in (None, thread.name):
                stop.set()
                thread.join(max(0.0, deadline - time.monotonic()))
        self._running = [(thread, stop) for thread, stop in self._running if not stop.is_set()]

    def alive(self) -> dict[str, bool]:
        return {thread.name: thread.is_alive() for thread, _ in self._running}

    def _guard(self, name: str, run: Run, stop: threading.Event) -> None:
        finished = False
        try:
            run(stop)
            finished = stop.is_set()
        finally:
            # An exception is on its way to threading.excepthook, which prints it.
            if not finished:
                self._on_death(name)


def _end_the_process(name: str) -> None:
    log.critical("the background thread %s has died: ending the process", name, exc_info=True)
    os._exit(EXIT_BROKEN)
