"""How lines of the logs are shown: each with its instance's name, in a colour of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path

import click

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.logs import files, merged, search
from fusebox.logs.event import Event, as_event, event_of
from fusebox.logs.merged import LogLine
from fusebox.logs.query import LogQuery

COLOURS = ("cyan", "green", "magenta", "blue", "yellow", "bright_cyan", "bright_green",
           "bright_magenta", "bright_blue", "bright_yellow")  # fmt: skip
LEVEL_COLOURS = {"warning": "yellow", "error": "red", "critical": "red"}
# The name in front says it, or the message does.
NOT_SHOWN = frozenset(
    (
        *("@timestamp", "message", "log.level", "log.logger", "ecs.version"),
        *("service.name", "service.node.name", "process.thread.name", "span.id"),
        *("event.action", "event.duration", "http.request.method", "http.route", "url.path"),
        *("http.response.status_code", "client.address"),
        *("error.type", "error.message", "error.stack_trace"),
    )
)


LAST_LINES = 40


def paths_of(stack: Stack, service: str | None) -> list[Path]:
    return files.logs_of(stack.logs, service)


def follow(paths: Sequence[Path], query: LogQuery, lines: int | None, as_json: bool) -> None:
    """The last lines that `query` takes, and each new one, until it is interrupted."""
    printer = Printer(paths, as_json)
    # Opened before the last lines are read: none that is written meanwhile is missing.
    with suppress(KeyboardInterrupt), closing(merged.follow(paths)) as new:
        printer.print(_past(paths, query, lines))
        printer.print(line for line in new if query.takes(line))


def show_past(
    paths: Sequence[Path], ids: Sequence[str], query: LogQuery, lines: int | None, as_json: bool
) -> None:
    """What is there: of `ids` the whole story, in the order of time and with the gaps."""
    if ids:
        story = search.story_of(paths, ids)
        if not story:
            raise _nothing_of(paths, ids)
        story = [line for line in story if query.takes(line)]
        Printer(paths, as_json, with_gaps=True).print(story[-lines:] if lines else story)
    else:
        Printer(paths, as_json).print(_past(paths, query, lines))


def _past(paths: Sequence[Path], query: LogQuery, count: int | None) -> list[LogLine]:
    if count is None and not query.since:
        count = LAST_LINES
    if query.is_for_all and count is not None:
        return merged.last(paths, count)
    lines = merged.whole(search.with_rotated(paths))
    taken = [line for line in lines if query.takes(line)]
    return taken if count is None else taken[len(taken) - min(count, len(taken)) :]


def _nothing_of(paths: Sequence[Path], ids: Sequence[str]) -> Fault:
    return Fault(
        f"no line of the logs names {' or '.join(ids)}",
        where=f"{len(paths)} logs in {paths[0].parent}, and those that were rotated away",
        remedy="look at the id. Requests that were not traced have lines only when they failed"
        " (docs/logs.md).",
    )


class Printer:
    def __init__(self, paths: Sequence[Path], as_json: bool, with_gaps: bool = False) -> None:
        self._width = max(len(path.stem) for path in paths)
        self._services = list(dict.fromkeys(_service(path.stem) for path in paths))
        self._as_json = as_json
        self._with_gaps = with_gaps
        self._before: float | None = None

    def print(self, lines: Iterable[LogLine]) -> None:
        for line in lines:
            if self._as_json:
                click.echo(json.dumps(as_event(line.name, line.at, line.text), ensure_ascii=False))
            else:
                for text in self._texts(line):
                    click.echo(text)

    def _texts(self, line: LogLine) -> Iterator[str]:
        """`click.echo` takes the colour off where no terminal is."""
        name = f"{line.name:<{self._width}} |"
        if not os.environ.get("NO_COLOR"):
            colour = COLOURS[self._services.index(_service(line.name)) % len(COLOURS)]
            name = click.style(name, fg=colour)
        event = event_of(line.text)
        text, *more = _in_short(event, line.at) if event else [line.text]
        yield f"{name} {self._gap(line.at)}{text}"
        yield from (f"{name} {one}" for one in more)

    def _gap(self, at: float) -> str:
        """Since the line before, in milliseconds."""
        if not self._with_gaps:
            return ""
        gap = 0.0 if self._before is None else at - self._before
        self._before = at
        return f"{gap * 1000:+8.0f} ms  "


def _in_short(event: Event, at: float) -> list[str]:
    """The event as people read it, a traceback on lines of its own."""
    level = str(event.get("log.level", ""))
    mark = f"{level.upper():<7}"
    if level in LEVEL_COLOURS and not os.environ.get("NO_COLOR"):
        mark = click.style(mark, fg=LEVEL_COLOURS[level])
    moment = datetime.fromtimestamp(at).strftime("%H:%M:%S.%f")[:-3]
    fields = " ".join(f"{key}={it}" for key, it in event.items() if key not in NOT_SHOWN)
    first = f"{moment} {mark} {event.get('message', '')}  {fields}".rstrip()
    return [first, *str(event.get("error.stack_trace", "")).splitlines()]


def _service(name: str) -> str:
    """`order-service` of `order-service-1`."""
    head, _, tail = name.rpartition("-")
    return head if head and (tail.isdigit() or tail in ("prepare", "format")) else name
