"""The state of every process: what the supervisor says, and what asking it shows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil

from fusebox import asking, health
from fusebox.parts import PARTS, TRAINING, part_of
from fusebox.stack import Stack
from fusebox.supervision import State, Supervisor

ASKED_AT_ONCE = 8
COLUMNS = ("instance", "state", "healthy", "pid", "port", "memory", "breakers")
NOT_RUNNING = "DOWN"


@dataclass(frozen=True)
class Row:
    """One instance; `memory` is its proportional share (PSS) in bytes, its children included."""

    service: str
    instance: str
    state: str
    healthy: bool
    reason: str = ""
    pid: int = 0
    port: int | None = None
    memory: int = 0
    breakers: dict[str, str] = field(default_factory=dict)

    def cells(self) -> tuple[str, ...]:
        return (
            self.instance,
            self.state.lower(),
            "yes" if self.healthy else f"no: {self.reason}",
            str(self.pid or "-"),
            str(self.port or "-"),
            f"{self.memory / 1e6:.0f} MB" if self.memory else "-",
            ", ".join(f"{name} {state}" for name, state in self.breakers.items()),
        )


@dataclass(frozen=True)
class Status:
    rows: list[Row]

    @property
    def healthy(self) -> bool:
        return bool(self.rows) and all(row.healthy for row in self.rows)

    @property
    def is_down(self) -> bool:
        return all(row.state == NOT_RUNNING for row in self.rows)

    @property
    def memory(self) -> int:
        return sum(row.memory for row in self.rows)

    def document(self) -> dict[str, Any]:
        processes = [asdict(row) for row in self.rows]
        return {"healthy": self.healthy, "memory": self.memory, "processes": processes}


def read(stack: Stack) -> Status:
    supervisor = Supervisor(stack)
    if not supervisor.is_up():
        return Status([_absent(part.name, part.instance()) for part in PARTS])
    states = supervisor.states()
    known = health.registered(stack)
    shown = [states.get(name) or name for name in _in_order(states)]
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        return Status(list(pool.map(lambda each: _row(stack, each, known), shown)))


def _in_order(states: dict[str, State]) -> list[str]:
    """The instances part by part; a part that was never started is shown by its first."""
    names = []
    for part in PARTS:
        there = [each for each in states if each != TRAINING and part_of(each) == part]
        names += sorted(there) or [part.instance()]
    return names


def _absent(service: str, instance: str) -> Row:
    return Row(service, instance, NOT_RUNNING, healthy=False, reason="not running")


def _row(stack: Stack, state: State | str, known: dict[str, health.Address]) -> Row:
    if isinstance(state, str):
        return _absent(part_of(state).name, state)
    part = part_of(state.instance)
    at = health.address(stack, state.instance, known)
    verdict = _verdict(stack, state, known)
    return Row(
        service=part.name,
        instance=state.instance,
        state="RUNNING" if state.is_running else state.state,
        healthy=verdict.healthy,
        reason="" if verdict.healthy else verdict.reason,
        pid=state.pid,
        port=at.port if at and state.is_running else None,
        memory=memory_of(state.pid),
        breakers=_breakers(at) if at and part.is_ours and state.is_running else {},
    )


def _verdict(stack: Stack, state: State, known: dict[str, health.Address]) -> health.Verdict:
    if not state.is_running:
        return health.Verdict(False, state.reason or "not running")
    return health.check(stack, state.instance, known)


def memory_of(pid: int) -> int:
    """The PSS of `pid` and its descendants in bytes; what has ended or is closed to us counts 0."""
    if not pid:
        return 0
    total = 0
    with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                total += each.memory_full_info().pss
    return total


def _breakers(at: health.Address) -> dict[str, str]:
    body = asking.get(f"{at.url}/actuator/circuitbreakers").json()
    found = body.get("circuitBreakers") if isinstance(body, dict) else None
    if not isinstance(found, dict):
        return {}
    return {name: str(each.get("state", "?")) for name, each in found.items()}


def table(status: Status) -> str:
    """Aligned columns, for a terminal and for a pipe alike."""
    lines = [COLUMNS, *(row.cells() for row in status.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
