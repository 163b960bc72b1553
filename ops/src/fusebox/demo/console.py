"""What the demo prints: what will happen and why, what happens, and whether an assertion holds."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console, RenderableType
from rich.rule import Rule
from rich.text import Text

from fusebox.demo.assertions import FailedAssertion

WIDTH = 80
INDENT = "  "
LABEL_WIDTH = 18


@dataclass
class DemoConsole:
    """Writes to `out`; `wait_for_key` is None for a reader who is not to be waited for."""

    out: TextIO
    colour: bool = False
    wait_for_key: Callable[[], None] | None = None
    passed: int = 0
    traces: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._console = Console(
            file=self.out,
            width=WIDTH,
            force_terminal=self.colour,
            no_color=not self.colour,
            color_system="standard" if self.colour else None,
            highlight=False,
            soft_wrap=True,
        )

    def begin_step(self, number: int, of: int, title: str, why: str) -> None:
        """The heading of a step, and what will happen and why."""
        heading = Text(f"── {number} of {of} ── {title}", style="bold")
        self._print("")
        self._print(Rule(heading, align="left", style="bold"))
        self._print("")
        self._print(Text(_wrapped(why, INDENT, INDENT)))
        self._print("")

    def event(self, label: str, text: str) -> None:
        """One thing that happens, at the moment it does."""
        start = f"{INDENT}{label:<{LABEL_WIDTH}} "
        event = Text(_wrapped(text, start, " " * len(start)))
        event.stylize("cyan", 0, len(start))
        self._print(event)

    def show(self, lines: Sequence[str]) -> None:
        """A picture made of lines, printed as they are."""
        for line in lines:
            self._print(Text(f"{INDENT}{line[: WIDTH - len(INDENT)].rstrip()}"))

    def check(self, assertion: str, holds: bool, evidence: str) -> None:
        """Whether `assertion` holds, with the evidence; raises FailedAssertion if it does not."""
        mark = ("✓", "green") if holds else ("✗", "bold red")
        statement = _wrapped(assertion, " " * 4, " " * 4).lstrip()
        self._print(Text.assemble(INDENT, mark, " ", (statement, "bold")))
        self._print(Text(_wrapped(evidence, " " * 4, " " * 4)))
        self.count(assertion, holds, evidence)

    def count(self, assertion: str, holds: bool, evidence: str) -> None:
        if not holds:
            raise FailedAssertion(assertion, evidence, self.traces[-1] if self.traces else "")
        self.passed += 1

    def trace_link(self, url: str) -> None:
        """Where the trace of what was just seen is to be looked at."""
        self.traces.append(url)
        self._print(Text.assemble(INDENT, ("trace ", "dim"), (url, "blue")))

    def pause(self) -> None:
        """Wait for the reader, where there is one."""
        if self.wait_for_key is not None:
            self._print(Text(f"{INDENT}Press Enter to go on; Ctrl-C ends the tour.", style="dim"))
            self.wait_for_key()

    def note(self, text: str) -> None:
        """Something that belongs to no step."""
        self._print("")
        self._print(Text(_wrapped(text, INDENT, INDENT)))

    def _print(self, line: RenderableType) -> None:
        self._console.print(line)


def console_for(pace: str) -> DemoConsole:
    """The console for this process' terminal, or for what stands in its place."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal without a ✓ shows a ?
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    waits = pace != "fast" and sys.stdin.isatty() and sys.stdout.isatty()
    return DemoConsole(sys.stdout, colour, _wait_for_enter if waits else None)


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
