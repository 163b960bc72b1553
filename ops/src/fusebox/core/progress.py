"""Telling how far a start has come: moving on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

SILENT_SECONDS = 10.0


class Display(Protocol):
    """What shows the steps of a start."""

    def started(self, name: str) -> None: ...
    def finished(self, name: str, seconds: float) -> None: ...
    def advanced(self, name: str, done: int, of: int) -> None: ...
    def tick(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class PlainDisplay:
    """A line when a step ends, one for each quarter of a long one, and one when nothing ends."""

    def __init__(self) -> None:
        self._quarters: dict[str, int] = {}
        self._waiting: list[str] = []
        self._printed = time.monotonic()

    def started(self, name: str) -> None:
        self._waiting.append(name)

    def tick(self) -> None:
        """Called again and again: says what is waited for when that takes long."""
        if self._waiting and time.monotonic() > self._printed + SILENT_SECONDS:
            self._printed = time.monotonic()
            print(f"  … waiting for {', '.join(self._waiting)}", flush=True)

    def finished(self, name: str, seconds: float) -> None:
        self._printed = time.monotonic()
        self._waiting.remove(name)
        print(f"  {name:<28} {seconds:5.1f} s", flush=True)

    def advanced(self, name: str, done: int, of: int) -> None:
        quarter = 4 * done // max(of, 1)
        if quarter > self._quarters.get(name, -1):
            self._quarters[name] = quarter
            print(f"  {name}: {done} of {of}", flush=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TerminalDisplay:
    """A moving line for each step, which stays with its time when it is done."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            Task,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.text import Text

        class BarOfKnownLength(BarColumn):
            """None for a step that cannot say how far it is: a bar that pulses looks full."""

            def render(self, task: Task) -> Any:
                return super().render(task) if (task.total or 0) > 1 else Text("")

        self._progress: Progress = Progress(
            SpinnerColumn(finished_text="[green]✓"),
            TextColumn("{task.description:<28}"),
            TimeElapsedColumn(),
            BarOfKnownLength(bar_width=20),
        )
        self._tasks: dict[str, TaskID] = {}

    def started(self, name: str) -> None:
        self._tasks[name] = self._progress.add_task(name, total=None)

    def finished(self, name: str, seconds: float) -> None:  # noqa: ARG002  (rich counts them)
        self._progress.update(self._tasks[name], total=1, completed=1)

    def advanced(self, name: str, done: int, of: int) -> None:
        self._progress.update(self._tasks[name], total=of + 1, completed=done)

    def tick(self) -> None:
        """The lines move by themselves."""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def display() -> Display:
    return TerminalDisplay() if sys.stdout.isatty() else PlainDisplay()
