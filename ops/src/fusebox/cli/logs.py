"""The verb `logs`: of all or of one service, filtered, or the story of one request or order."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Any
from uuid import UUID

import click

from fusebox.cli.usage import PartName, Verb, WholeNumber, refused
from fusebox.core import pipes
from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS
from fusebox.logs.event import LEVELS, level_named
from fusebox.logs.query import LogQuery

TRACE_ID = re.compile(r"[0-9a-f]{16}|[0-9a-f]{32}")
AGO = re.compile(r"(\d{1,6})([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class TraceId(click.ParamType[str]):
    name = "trace id"

    def convert(self, value: Any, param: Any, context: Any) -> str:
        if not TRACE_ID.fullmatch(str(value).lower()):
            allowed = "a trace id, 16 or 32 hex digits, as X-Trace-Id has it"
            raise refused(value, allowed, param, context)
        return str(value).lower()


class OrderId(click.ParamType[str]):
    name = "order id"

    def convert(self, value: Any, param: Any, context: Any) -> str:
        try:
            return str(UUID(value))
        except ValueError:
            raise refused(value, "an order's id, a UUID", param, context) from None


class LogLevel(click.ParamType[int]):
    name = "level"

    def convert(self, value: Any, param: Any, context: Any) -> int:
        if isinstance(value, int):
            return value
        level = level_named(str(value))
        if level is None:
            raise refused(value, f"one of {', '.join(LEVELS)}", param, context)
        return level


class Moment(click.ParamType[float]):
    """In seconds since 1970."""

    name = "moment"

    def convert(self, value: Any, param: Any, context: Any) -> float:
        if isinstance(value, float):
            return value
        if ago := AGO.fullmatch(str(value)):
            return time.time() - int(ago[1]) * SECONDS[ago[2]]
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError:
            allowed = "so long ago (30s, 10m, 2h, 1d) or a time (2026-11-28T08:00:00Z)"
            raise refused(value, allowed, param, context) from None


class Pattern(click.ParamType["re.Pattern[str]"]):
    name = "pattern"

    def convert(self, value: Any, param: Any, context: Any) -> re.Pattern[str]:
        try:
            return value if isinstance(value, re.Pattern) else re.compile(value)
        except re.error as error:
            raise refused(value, f"a regular expression ({error})", param, context) from None


@click.command(cls=Verb, epilog=f"SERVICE is one of {', '.join(part.name for part in PARTS)}.")
@click.argument("service", required=False, type=PartName())
@click.option("--trace", type=TraceId(), help="All lines of one request, with the gaps.")
@click.option("--order", type=OrderId(), help="The same of an order, messages included.")
@click.option("--level", type=LogLevel(), help="Of this level or a graver one.")
@click.option("--since", type=Moment(), help="Not older: 30s, 10m, 2h, 1d, or a time.")
@click.option("--grep", type=Pattern(), help="With this regular expression in it.")
@click.option("--json", "as_json", is_flag=True, help="Each line as JSON, in ECS' names.")
@click.option("--follow/--no-follow", default=True, help="Go on with what is logged from now on.")
@click.option(
    "--lines",
    type=WholeNumber(0),
    help="How many of the last lines, of all logs together: 40, or with --since all.",
)
@click.pass_obj
def logs(
    stack: Stack,
    service: str | None,
    trace: str | None,
    order: str | None,
    level: int | None,
    since: float | None,
    grep: re.Pattern[str] | None,
    as_json: bool,
    follow: bool,
    lines: int | None,
) -> None:
    """Show the logs of all, or of SERVICE, in the order of time, with each line's instance.

    With --trace or --order it shows what there is and ends.
    """
    from fusebox.cli import log_view

    pipes.end_with_reader()
    ids = [id for id in (trace, order) if id]
    query = LogQuery(level=level or 0, since=since or 0.0, pattern=grep)
    if stack.mode == "docker":
        from fusebox.docker import logs as container_logs

        is_plain = query.is_for_all and not ids and not as_json
        if is_plain:
            container_logs.follow(stack, service, follow, 40 if lines is None else lines)
            return
        with container_logs.copied(stack, service) as paths:
            log_view.show_past(paths, ids, query, lines, as_json)
        return
    if ids or not follow:
        log_view.show_past(log_view.paths_of(stack, service), ids, query, lines, as_json)
    else:
        log_view.follow(log_view.paths_of(stack, service), query, lines, as_json)
