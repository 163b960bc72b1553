"""The verb `watch`: the essentials of the panel's page in a terminal."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from fusebox.cli.usage import DecimalNumber, Verb
from fusebox.cli.watch_view import news, screen
from fusebox.core import pipes
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.network import http

PAUSE_SECONDS = 1.0
EPILOG = """It asks the panel, which watches anyway. On a terminal one screen is refreshed in place;
elsewhere each news is a line.

Exit codes: 0 ended by Ctrl-C or after --seconds; 1 the panel does not answer at the beginning."""


@click.command(cls=Verb, epilog=EPILOG)
@click.option("--seconds", type=DecimalNumber(0.1), help="End by itself after so long.")
@click.pass_obj
def watch(stack: Stack, seconds: float | None) -> None:
    """Show the shop as it is now: parts, breakers, faults, orders, what just happened."""
    pipes.end_with_reader()
    first = read(stack)
    if first is None:
        raise absent()
    states = _states(lambda: read(stack), first, seconds)
    console = Console(highlight=False)
    with suppress(KeyboardInterrupt):  # the way to end it
        show = _refresh if console.is_terminal else _print
        show(console, states)


def absent() -> Fault:
    return Fault(
        "the panel does not answer",
        remedy="`make start SERVICE=panel`; if the shop is down, `make up` starts both."
        " `make status` asks every part by itself.",
    )


def read(stack: Stack) -> dict[str, Any] | None:
    """None when the panel does not answer."""
    answer = http.get(f"{stack.url('panel')}/api/state")
    document = answer.json() if answer.ok else None
    return document if isinstance(document, dict) else None


def _states(
    look: Callable[[], dict[str, Any] | None], first: dict[str, Any], seconds: float | None
) -> Iterator[dict[str, Any] | None]:
    end = math.inf if seconds is None else time.monotonic() + seconds
    yield first
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(PAUSE_SECONDS, left))
        yield look()


def _refresh(console: Console, states: Iterator[dict[str, Any] | None]) -> None:
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for state in states:
            shown = Text(f"{absent().what}: {absent().remedy}") if state is None else screen(state)
            live.update(shown, refresh=True)


def _print(console: Console, states: Iterator[dict[str, Any] | None]) -> None:
    before: dict[str, Any] | None = None
    is_there = True
    for state in states:
        if state is not None:
            for line in news(before, state):
                console.print(Text(line), soft_wrap=True)
            before = state
        elif is_there:
            console.print(Text(f"{absent().what}: {absent().remedy}"), soft_wrap=True)
        is_there = state is not None
