"""docs/faults.md, as it follows from the promises."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from .client_calls import USUAL
from .expectations import (
    FAULTS,
    HALTED,
    LATE,
    REPAIRED_SECONDS,
    REPAIRS,
    Cell,
    FaultExpectation,
    Promise,
)

BEGINNING = f"""\
# What breaks when a part breaks

For each part of the shop: what a client of the gateway sees of each call of the contract while the
part is killed (`make kill`), paused (`make pause`) or slow (`make slow`), and when it is back.

This page is made by `tests/chaos/fault_table/test_fault_table.py`, which breaks a real shop in each
of these ways, makes all the calls at the same time, and fails where one is answered in another way
than stands here. A promise is changed in `tests/chaos/fault_table/expectations.py`; `make faults`
tries all of them and writes the page anew.

- **as usual**: the 2xx of the contract, with nothing missing. Every other answer is in the
  contract too: errors are problem documents, and a `degraded` list names who is missing.
- *first*; *then*: at the first contact, and once the breaker has opened.
- **at once**: under a second; the other bounds are to be read likewise, on a machine that has
  nothing else to do.
- **slow**: every answer of our processes comes {LATE / 1000:g} s late; PostgreSQL, Kafka and Zipkin
  stand still for {HALTED / 1000:g} s again and again.
- **back**: within {REPAIRED_SECONDS} s of the repair, whichever of the three faults it was. By then
  every order accepted meanwhile has been decided, too.
"""
STATES = ("killed", "paused", "slow")


def page() -> str:
    parts = [section(part, list(faults)) for part, faults in groupby(FAULTS, lambda f: f.part)]
    return "\n".join([BEGINNING, *parts])


def section(part: str, faults: Sequence[FaultExpectation]) -> str:
    rows = {call: _row(call, faults) for call in USUAL}
    # Calls with the same outcomes share a line.
    alike: dict[tuple[str, ...], list[str]] = {}
    for call, row in rows.items():
        alike.setdefault(row, []).append(call)
    lines = [f"## {part}", "", f"| call | {' | '.join(STATES)} | back |", "|---|---|---|---|---|"]
    lines += [f"| {_named(calls)} | {' | '.join(row)} |" for row, calls in alike.items()]
    return "\n".join([*lines, "", REPAIRS[part], ""])


def _named(calls: Sequence[str]) -> str:
    return "every call" if len(calls) == len(USUAL) else ", ".join(calls)


def _row(call: str, faults: Sequence[FaultExpectation]) -> tuple[str, ...]:
    by_state = {fault.state: fault for fault in faults}
    return (*(_promise_text(by_state[state].promise(call), call) for state in STATES), "as usual")


def _promise_text(promise: Promise, call: str) -> str:
    first = _cell(promise.first, call)
    if promise.then == promise.first:
        return first
    return f"{first}; then {_cell(promise.then, call)}"


def _cell(cell: Cell, call: str) -> str:
    outcomes = ["as usual" if outcome == USUAL[call] else outcome for outcome in cell.outcomes]
    return f"{' or '.join(outcomes)}, {cell.speed.words}"
