"""Telling how far a start has come: moving on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO

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


class Silence:
    """Shows nothing, to whoever only uses the operations."""

    def started(self, name: str) -> None: ...
    def finished(self, name: str, seconds: float) -> None: ...
    def advanced(self, name: str, done: int, of: int) -> None: ...
    def tick(self) -> None: ...
    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


class PlainDisplay:
    """A line when a step ends, one for each quarter of a long one, and one when nothing ends."""

    def __init__(self, file: TextIO | None = None) -> None:
        self._file = file
        self._quarters: dict[str, int] = {}
        self._waiting: list[str] = []
        self._printed = time.monotonic()

    def started(self, name: str) -> None:
        self._waiting.append(name)

    def tick(self) -> None:
        """Called again and again: says what is waited for when that takes long."""
        if self._waiting and time.monotonic() > self._printed + SILENT_SECONDS:
            self._printed = time.monotonic()
            print(f"  … waiting for {', '.join(self._waiting)}", flush=True, file=self._file)

    def finished(self, name: str, seconds: float) -> None:
        self._printed = time.monotonic()
        self._waiting.remove(name)
        print(f"  {name:<28} {seconds:5.1f} s", flush=True, file=self._file)

    def advanced(self, name: str, done: int, of: int) -> None:
        quarter = 4 * done // max(of, 1)
        if quarter > self._quarters.get(name, -1):
            self._quarters[name] = quarter
            print(f"  {name}: {done} of {of}", flush=True, file=self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


class TerminalDisplay:
    """A moving line for each step, which stays with its time when it is done."""

    def __init__(self, on_error_stream: bool = False) -> None:
        from rich.console import Console
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
            console=Console(stderr=on_error_stream),
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


SILENCE = Silence()
_display: ContextVar[Display] = ContextVar("display", default=SILENCE)


@contextmanager
def shown() -> Iterator[None]:
    """Meanwhile the steps of an operation are shown, beside the output that programs read."""
    chosen = (
        TerminalDisplay(on_error_stream=True) if sys.stderr.isatty() else PlainDisplay(sys.stderr)
    )
    with chosen:
        token = _display.set(chosen)
        try:
            yield
        finally:
            _display.reset(token)


def current() -> Display:
    """Of the operation that is under way in this thread."""
    return _display.get()


@contextmanager
def step(name: str) -> Iterator[None]:
    """Something that may take long: shown as under way, and with its time when it is done."""
    began = time.monotonic()
    current().started(name)
    yield
    current().finished(name, time.monotonic() - began)
