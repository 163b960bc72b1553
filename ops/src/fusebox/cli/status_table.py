"""How `status` shows the shop on a terminal: what is as usual in a line, what is not in colour."""

from __future__ import annotations

from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from fusebox.operations.status import ShopStatus, StatusRow
from fusebox.runtime.actuator_client import CLOSED, BreakerState

GOOD, BAD, ON_PURPOSE = "green", "bold red", "yellow"
BREAKER_STYLES = {"OPEN": BAD, "FORCED_OPEN": ON_PURPOSE, "DISABLED": ON_PURPOSE}


def show(status: ShopStatus, console: Console | None = None) -> None:
    """As wide as the terminal; COLUMNS and NO_COLOR are heeded."""
    console = console or Console(highlight=False)
    console.print(_table(status))
    for problem, instances in _problems(status).items():
        console.print(Text(f"{problem}\n  at {', '.join(instances)}", BAD))
    console.print(f"memory of all: {status.memory / 1e6:.0f} MB")


def _table(status: ShopStatus) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("instance", no_wrap=True)
    table.add_column("state", no_wrap=True)
    for name in ("pid", "port", "memory"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("healthy", overflow="fold")
    for row in status.rows:
        table.add_row(
            row.instance,
            Text(row.state.lower(), _style(row)),
            str(row.pid or "-"),
            str(row.port or "-"),
            f"{row.memory / 1e6:.0f} MB" if row.memory else "-",
            Text("\n").join(notes(row)),
        )
    return table


def _problems(status: ShopStatus) -> dict[str, list[str]]:
    """What is DOWN, and where: one file with a wrong value is refused by several."""
    instances: dict[str, list[str]] = {}
    for row in status.rows:
        for name, error in row.problems.items():
            text = error.removeprefix(f"configuration of {row.service}: ")
            instances.setdefault(f"{name}: {text}", []).append(row.instance)
    return instances


def notes(row: StatusRow) -> list[Text]:
    """Whether it is healthy, and whatever is not as usual."""
    lines = [_health(row)]
    lines += [Text(f"on purpose: {fault}", ON_PURPOSE) for fault in row.faults]
    if row.problems:
        lines.append(Text(f"see below: {', '.join(row.problems)}", BAD))
    lines += [_breaker(breaker) for breaker in row.breaker_details if breaker.state != CLOSED]
    if row.canary:
        share = f", {row.weight} % of the calls" if row.weight else ""
        lines.append(Text(f"canary {row.canary}{share}"))
    if row.outbox:
        lines.append(Text(f"outbox: {row.outbox} events wait"))
    return lines


def _health(row: StatusRow) -> Text:
    if row.is_starting:
        return Text("not yet: the shop does without it", ON_PURPOSE)
    return Text("yes", GOOD) if row.healthy else Text(f"no: {row.reason}", _style(row))


def _style(row: StatusRow) -> str:
    if row.faults or row.is_starting:
        return ON_PURPOSE
    return GOOD if row.healthy else BAD


def _breaker(breaker: BreakerState) -> Text:
    text = f"breaker {breaker.name} {breaker.state}"
    if breaker.since:
        text += f" since {_time_of_day(breaker.since)}"
    if breaker.failures:
        text += f", {breaker.failures} failed"
    if breaker.state == "OPEN":
        probe = f"in {breaker.seconds_to_probe:.0f} s" if breaker.seconds_to_probe else "due"
        text += f", next trial {probe}"
    return Text(text, BREAKER_STYLES.get(breaker.state, ON_PURPOSE))


def _time_of_day(time: str) -> str:
    """In this machine's zone; as it came when it is no time."""
    try:
        return datetime.fromisoformat(time).astimezone().strftime("%H:%M:%S")
    except ValueError:
        return time
