"""Steps that run side by side as far as their order allows; the first failure ends them all."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Protocol

from fusebox.core.wait import Cancelled

WATCH_SECONDS = 0.2


@dataclass(frozen=True)
class Step:
    """Something to be done, once the steps named in `after` are."""

    name: str
    run: Callable[[], None]
    after: tuple[str, ...] = ()


class Listener(Protocol):
    def started(self, name: str) -> None: ...
    def finished(self, name: str, seconds: float) -> None: ...


@dataclass(frozen=True)
class _Outcome:
    name: str
    seconds: float
    error: BaseException | None


def run_steps(
    steps: Sequence[Step],
    listener: Listener,
    watch: Callable[[], None],
    cancelled: threading.Event,
) -> None:
    """Run them all; `watch` is called now and then and may raise to end them.

    On the first error `cancelled` is set and the error raised at once.  The threads
    of the other steps are daemons: none of them is waited for.
    """
    outcomes: queue.Queue[_Outcome] = queue.Queue()
    by_name = {step.name: step for step in steps}
    graph = TopologicalSorter({step.name: step.after for step in steps})
    graph.prepare()
    try:
        while graph.is_active():
            for name in graph.get_ready():
                listener.started(name)
                run = threading.Thread(target=_run, args=(by_name[name], outcomes), daemon=True)
                run.start()
            outcome = _next(outcomes, watch)
            listener.finished(outcome.name, outcome.seconds)
            graph.done(outcome.name)
    finally:
        cancelled.set()


def _run(step: Step, outcomes: queue.Queue[_Outcome]) -> None:
    began = time.monotonic()
    error: BaseException | None = None
    try:
        step.run()
    except BaseException as caught:  # noqa: BLE001  (raised again in the thread that waits for it)
        error = caught
    outcomes.put(_Outcome(step.name, time.monotonic() - began, error))


def _next(outcomes: queue.Queue[_Outcome], watch: Callable[[], None]) -> _Outcome:
    while True:
        try:
            outcome = outcomes.get(timeout=WATCH_SECONDS)
        except queue.Empty:
            watch()
            continue
        if outcome.error is not None and not isinstance(outcome.error, Cancelled):
            raise outcome.error
        return outcome
