"""How lines of the logs are shown: each with its instance's name, in a colour of its own."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing, suppress
from itertools import chain

import click

from fusebox.core import logs as log_files
from fusebox.core import merged_logs
from fusebox.core.merged_logs import LogLine
from fusebox.core.stack import Stack

COLOURS = ("cyan", "green", "magenta", "blue", "yellow", "bright_cyan", "bright_green",
           "bright_magenta", "bright_blue", "bright_yellow")  # fmt: skip


def show(stack: Stack, service: str | None, follow: bool, lines: int) -> None:
    paths = log_files.logs_of(stack.logs, service)
    width = max(len(path.stem) for path in paths)
    services = list(dict.fromkeys(_service(path.stem) for path in paths))
    with suppress(KeyboardInterrupt), ExitStack() as opened:  # Ctrl-C is the way to end it
        # Opened before the last lines are read: none that is written meanwhile is missing.
        new = opened.enter_context(closing(merged_logs.follow(paths))) if follow else ()
        for line in chain(merged_logs.last(paths, lines), new):
            click.echo(_shown(line, width, services))


def _shown(line: LogLine, width: int, services: list[str]) -> str:
    """`click.echo` takes the colour off where no terminal is."""
    name = f"{line.name:<{width}} |"
    if not os.environ.get("NO_COLOR"):
        name = click.style(name, fg=COLOURS[services.index(_service(line.name)) % len(COLOURS)])
    return f"{name} {line.text}"


def _service(name: str) -> str:
    """`order-service` of `order-service-1`."""
    head, _, tail = name.rpartition("-")
    return head if head and (tail.isdigit() or tail in ("prepare", "format")) else name
