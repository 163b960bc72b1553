"""Where the tour is told: what will happen and why, what happens, and what became of a promise."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TextIO

import click

from fusebox.demo.assertions import BrokenPromise

WIDTH = 80
INDENT = "  "
LABEL_WIDTH = 18


@dataclass
class Stage:
    """Writes to `out`; `wait_for_key` is None for a reader who is not to be waited for."""

    out: TextIO
    colour: bool = False
    wait_for_key: Callable[[], None] | None = None
    kept: int = 0
    _links: list[str] = field(default_factory=list)

    def open(self, number: int, of: int, title: str, why: str) -> None:
        """The heading of a step, and what will happen and why."""
        heading = f"── {number} of {of} ── {title} "
        self._write("\n" + self._styled(heading.ljust(WIDTH, "─"), bold=True) + "\n")
        self._write(_wrapped(why, INDENT, INDENT) + "\n")

    def tell(self, label: str, text: str) -> None:
        """One thing that happens, at the moment it does."""
        start = f"{INDENT}{label:<{LABEL_WIDTH}} "
        wrapped = _wrapped(text, start, " " * len(start))
        self._write(self._styled(wrapped[: len(start)], fg="cyan") + wrapped[len(start) :])

    def show(self, lines: Sequence[str]) -> None:
        """A picture made of lines, each as it is."""
        for line in lines:
            self._write(f"{INDENT}{line[: WIDTH - len(INDENT)].rstrip()}")

    def hold(self, promise: str, kept: bool, saw: str) -> None:
        """Hold what was seen against `promise`; raises BrokenPromise when it was not kept."""
        mark = self._styled("✓", fg="green") if kept else self._styled("✗", fg="red", bold=True)
        told = _wrapped(promise, " " * 4, " " * 4).lstrip()
        self._write(f"{INDENT}{mark} {self._styled(told, bold=True)}")
        self._write(_wrapped(saw, " " * 4, " " * 4))
        if not kept:
            raise BrokenPromise(promise, saw, where=self._links[-1] if self._links else "")
        self.kept += 1

    def link(self, url: str) -> None:
        """Where the trace of what was just seen is to be looked at."""
        self._links.append(url)
        self._write(f"{INDENT}{self._styled('trace ', dim=True)}{self._styled(url, fg='blue')}")

    def pause(self) -> None:
        """Wait for the reader, where there is one."""
        if self.wait_for_key is not None:
            self._write(self._styled(f"{INDENT}Enter does it; Ctrl-C ends the tour.", dim=True))
            self.wait_for_key()

    def say(self, text: str) -> None:
        """Something that belongs to no step."""
        self._write("")
        self._write(_wrapped(text, INDENT, INDENT))

    def _write(self, text: str) -> None:
        print(text, file=self.out, flush=True)

    def _styled(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self.colour else text


def stage_for(pace: str) -> Stage:
    """The stage for this process' terminal, or for what stands in its place."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a ✓ shows a ?
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    waits = pace != "fast" and sys.stdin.isatty() and sys.stdout.isatty()
    return Stage(sys.stdout, colour, _wait_for_enter if waits else None)


def _wait_for_enter() -> None:
    sys.stdin.readline()


def _wrapped(text: str, first: str, others: str) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
