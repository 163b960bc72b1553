"""Background threads with a name, a way to stop, and one answer to an error nobody expected.

They start after gunicorn has forked and stop in the reverse order.  A worker that fails is logged
and started again after a growing pause, as a supervisor would start its process (Armstrong, *Making
reliable distributed systems in the presence of software errors*): one input that it cannot take
neither ends the process nor is met again without end at full speed, and health says so.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from chassis.core.backoff import Backoff
from chassis.core.errors import first_line

log = logging.getLogger(__name__)

Run = Callable[[threading.Event], None]
STOP_SECONDS = 2.5
EXIT_BROKEN = 70  # EX_SOFTWARE of sysexits.h
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
# Who has worked for so long is well again.
STEADY_SECONDS = 60.0


@dataclass
class _Worker:
    name: str
    run: Run
    stop: threading.Event = field(default_factory=threading.Event)
    failures: int = 0
    error: str = ""
    began: float = 0.0
    thread: threading.Thread | None = None

    def is_steady(self) -> bool:
        return time.monotonic() - self.began > STEADY_SECONDS


class Workers:
    def __init__(self, first_pause: float = FIRST_PAUSE) -> None:
        self._first_pause = first_pause
        self._planned: list[_Worker] = []
        self._running: list[_Worker] = []

    def add(self, name: str, run: Run) -> None:
        """Plan `run(stop)`: it returns soon after the event `stop` is set, and not before."""
        self._planned.append(_Worker(name, run))

    def start(self) -> None:
        for worker in self._planned:
            worker.thread = threading.Thread(
                target=self._keep_running, args=(worker,), name=worker.name, daemon=True
            )
            self._running.append(worker)
            worker.thread.start()

    def stop(self, only: str | None = None, timeout: float = STOP_SECONDS) -> None:
        """Stop all, the last started first, or `only` one; together in at most `timeout` seconds.

        Who has not ended by then ends with the process.
        """
        deadline = time.monotonic() + timeout
        for worker in reversed(self._running):
            if only in (None, worker.name) and worker.thread is not None:
                worker.stop.set()
                worker.thread.join(max(0.0, deadline - time.monotonic()))
        self._running = [worker for worker in self._running if not worker.stop.is_set()]

    def names(self) -> list[str]:
        return sorted(worker.name for worker in self._running)

    def failing(self) -> dict[str, str]:
        """Those that have failed more than once in a row, and how; once may happen to anybody."""
        return {
            worker.name: f"{worker.error}, {worker.failures} times in a row"
            for worker in self._running
            if worker.failures > 1 and not worker.is_steady()
        }

    def _keep_running(self, worker: _Worker) -> None:
        backoff = Backoff(self._first_pause, LONGEST_PAUSE, jitter=0.1)
        while not worker.stop.is_set():
            worker.began = time.monotonic()
            try:
                worker.run(worker.stop)
                error = "it has ended by itself"
            # Whatever it is, the worker's work is still to be done.
            except Exception as failure:
                error = f"{type(failure).__name__}: {first_line(failure)}"
                log.critical("the background thread %s has failed", worker.name, exc_info=failure)
            if worker.stop.is_set():
                return
            if worker.is_steady():
                worker.failures = 0
                backoff.reset()
            worker.failures, worker.error = worker.failures + 1, error
            pause = backoff.next()
            # While it pauses it is not at work, however long that takes.
            worker.began = time.monotonic() + pause
            log.warning("%s: %s; starting again in %.1f s", worker.name, error, pause)
            worker.stop.wait(pause)
