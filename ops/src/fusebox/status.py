"""The state of every process: what the supervisor says, and what asking it shows."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

from fusebox import assaults, brakes, families, health
from fusebox.actuator import Actuator
from fusebox.parts import PARTS, Part, part_of
from fusebox.stack import Stack
from fusebox.supervision import State, Supervisor

ASKED_AT_ONCE = 8
COLUMNS = ("instance", "state", "healthy", "pid", "port", "memory", "breakers", "broken on purpose")
NOT_RUNNING = "DOWN"
PAUSED = health.Verdict(False, "paused")


@dataclass(frozen=True)
class Row:
    """One instance; `memory` is its proportional share (PSS) in bytes, its children included.

    `faults` is what somebody has done to it: killed, stopped, paused, slow 300 ms, …  `canary` is
    the version of one that is on trial.
    """

    service: str
    instance: str
    state: str
    healthy: bool
    reason: str = ""
    pid: int = 0
    port: int | None = None
    memory: int = 0
    breakers: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    canary: str = ""

    def cells(self) -> tuple[str, ...]:
        return (
            f"{self.instance} ({self.canary})" if self.canary else self.instance,
            self.state.lower(),
            "yes" if self.healthy else f"no: {self.reason}",
            str(self.pid or "-"),
            str(self.port or "-"),
            f"{self.memory / 1e6:.0f} MB" if self.memory else "-",
            ", ".join(f"{name} {state}" for name, state in self.breakers.items()),
            ", ".join(self.faults),
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
    known = health.addresses(stack, states)
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        rows = pool.map(lambda name: _row(stack, name, states, known), _in_order(states))
        return Status(list(rows))


def _in_order(states: Mapping[str, State]) -> list[str]:
    """The instances part by part; a part that was never started is shown by its first."""
    return [name for part in PARTS for name in part.among(states) or [part.instance()]]


def _absent(service: str, instance: str) -> Row:
    return Row(service, instance, NOT_RUNNING, healthy=False, reason="not running")


def _row(
    stack: Stack, name: str, states: Mapping[str, State], known: dict[str, health.Address]
) -> Row:
    part = part_of(name)
    if name not in states:
        return _absent(part.name, name)
    state, at = states[name], health.socket(stack, states[name])
    halt = brakes.halt_of(states, part)
    paused = state.is_paused and not halt
    verdict = PAUSED if paused else _verdict(stack, state, known)
    actuator = _actuator(stack, part, at, verdict)
    return Row(
        service=part.name,
        instance=name,
        state=_shown(state, paused),
        healthy=verdict.healthy,
        reason=verdict.reason,
        pid=state.pid,
        port=at.port if at else None,
        memory=families.memory(state.pid),
        breakers=actuator.breakers() if actuator else {},
        faults=_process_faults(state, paused, halt) + (assaults.read(actuator) if actuator else []),
        canary=known[name].canary if name in known else "",
    )


def _actuator(
    stack: Stack, part: Part, at: health.Address | None, verdict: health.Verdict
) -> Actuator | None:
    """None for what has none, or would not answer: each question in vain costs seconds."""
    if at is None or not part.is_ours or verdict in (PAUSED, health.SILENT):
        return None
    return Actuator.of(stack, part, at.url)


def _verdict(stack: Stack, state: State, known: dict[str, health.Address]) -> health.Verdict:
    if not state.is_running:
        return health.Verdict(False, state.reason or "not running")
    return health.check(stack, state.instance, known)


def _shown(state: State, paused: bool) -> str:
    if paused:
        return "PAUSED"
    return "RUNNING" if state.is_running else state.state


def _process_faults(state: State, paused: bool, halt: int) -> list[str]:
    """What is done to it from outside."""
    told = [state.ended_by, "paused" if paused else "", f"brake {halt} ms" if halt else ""]
    return [each for each in told if each]


def table(status: Status) -> str:
    """Aligned columns, for a terminal and for a pipe alike."""
    lines = [COLUMNS, *(row.cells() for row in status.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
