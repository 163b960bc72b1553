"""How `watch` shows the panel's state: a screen on a terminal, and else a line for each news."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

GOOD, BAD, ODD, QUIET = "green", "bold red", "yellow", "dim"
STATE_STYLES = {"up": GOOD, "degraded": ODD, "starting": ODD, "paused": ODD, "stopped": ODD}
ORDER_STYLES = {"CONFIRMED": GOOD, "PENDING": ODD}
BREAKER_STYLES = {"CLOSED": GOOD, "HALF_OPEN": ODD}
ORDERS_SHOWN = 6
EVENTS_SHOWN = 6

State = Mapping[str, Any]


def screen(state: State) -> RenderableType:
    """The essentials of the page, top down: parts, breakers, faults, orders, what happened."""
    return Group(
        _parts(state),
        *_section("Circuit breakers", map(_breaker, state["breakers"])),
        *_section("Broken on purpose", (Text(fault["text"], ODD) for fault in state["faults"])),
        *_section("Orders", map(_order, state["orders"][:ORDERS_SHOWN])),
        *_section("Invariants", map(_invariant, state["invariants"])),
        *_section("What just happened", map(_event, state["history"][:EVENTS_SHOWN])),
    )


def summary(state: State) -> str:
    """The whole in a line: who is not up, which breakers are not closed, how orders fare."""
    down = [f"{part['name']} {part['state']}" for part in state["parts"] if part["state"] != "up"]
    breakers = [
        f"{breaker['owner']} -> {breaker['name']} {breaker['state']}"
        for breaker in state["breakers"]
        if breaker["state"] != "CLOSED"
    ]
    rate = next((one["rate"] for one in state["arrows"] if one["from"] == "client"), None)
    pending = sum(order["status"] == "PENDING" for order in state["orders"])
    return "; ".join(
        [
            ", ".join(down) or f"all {len(state['parts'])} parts are up",
            ", ".join(breakers) or "all breakers closed",
            f"{_number(rate)} requests/s",
            f"{pending} of the last {len(state['orders'])} orders pending",
        ]
    )


def news(before: State | None, state: State) -> Iterator[str]:
    """What has happened since `before`, the oldest first; at the beginning how the shop is."""
    if before is None:
        yield f"{_time(state['at'])}  {summary(state)}"
        return
    known = {_event(event).plain for event in before["history"]}
    for event in reversed(state["history"]):
        line = _event(event).plain
        if line not in known:
            yield line
    old = {order["orderId"]: order["status"] for order in before["orders"]}
    for order in reversed(state["orders"]):
        # The panel reads the last orders when somebody begins to look on: those are no news.
        is_new = order["orderId"] not in old and order["placedAt"] > before["at"]
        if is_new or order["status"] != old.get(order["orderId"], order["status"]):
            yield _order(order).plain


def _parts(state: State) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("part", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("n", "req/s", "errors", "p99"):
        table.add_column(name, no_wrap=True, justify="right")
    table.add_column("", overflow="fold")
    for part in state["parts"]:
        traffic = part["traffic"]
        table.add_row(
            part["name"],
            Text(part["state"], STATE_STYLES.get(part["state"], BAD)),
            str(len(part["instances"])),
            _number(traffic["rate"]),
            _percent(traffic["errors"]),
            _milliseconds(traffic["p99"]),
            _notes(part),
        )
    return table


def _notes(part: Mapping[str, Any]) -> Text:
    notes = [part["reason"]] if part["reason"] else []
    outbox = part["outbox"]
    if outbox and outbox["rows"]:
        notes.append(f"outbox {outbox['rows']} rows, {outbox['oldest']:.0f} s")
    notes += [f"{one['lag']} behind in {one['topic']}" for one in part["consumers"] if one["lag"]]
    notes += [
        f"{one['dead']} dead letters of {one['name']}" for one in part["topics"] if one["dead"]
    ]
    return Text("; ".join(notes), ODD)


def _breaker(breaker: Mapping[str, Any]) -> Text:
    text = Text(f"{breaker['owner']} → {breaker['name']} ")
    text.append(breaker["state"], BREAKER_STYLES.get(breaker["state"], BAD))
    text.append(f", {breaker['failures']} of {breaker['failMax']} failures in a row")
    if breaker["nextTrialIn"] is not None:
        text.append(f", next trial in {breaker['nextTrialIn']:.0f} s")
    return text


def _order(order: Mapping[str, Any]) -> Text:
    text = Text(f"{_time(order['placedAt'])}  order {order['orderId']} ")
    text.append(order["status"], ORDER_STYLES.get(order["status"], BAD))
    if order["degraded"]:
        text.append(", degraded", ODD)
    return text


def _invariant(invariant: Mapping[str, Any]) -> Text:
    mark = ("✓ ", GOOD) if invariant["holds"] else ("✗ ", BAD)
    return Text.assemble(mark, invariant["name"])


def _event(event: Mapping[str, str]) -> Text:
    return Text(f"{_time(event['at'])}  {event['subject']}: {event['text']}")


def _section(title: str, lines: Iterable[Text]) -> list[RenderableType]:
    shown = list(lines)
    return [Text(""), Text(title, "bold"), *shown] if shown else []


def _time(at: str) -> str:
    return at[11:19]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.0f} ms"
