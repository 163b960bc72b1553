"""The state of every instance: what its driver says, and what asking it shows."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS, Part, is_instance, part_of
from fusebox.operations.drivers import driver_of
from fusebox.runtime import chaos_monkey_client, health, remote
from fusebox.runtime.actuator_client import ActuatorClient
from fusebox.runtime.driver import State

ASKED_AT_ONCE = 8
COLUMNS = ("instance", "state", "healthy", "pid", "port", "memory", "breakers", "broken on purpose")
NOT_RUNNING = "DOWN"
PAUSED = health.InstanceHealth(False, "paused")


@dataclass(frozen=True)
class StatusRow:
    """One instance; `memory` is in bytes: its proportional share (PSS), or its container's.

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
class ShopStatus:
    rows: list[StatusRow]

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


def read(stack: Stack) -> ShopStatus:
    driver = driver_of(stack)
    if not driver.is_up():
        return ShopStatus([_absent(part.name, part.instance()) for part in PARTS])
    states = driver.states()
    halts = {part.name: driver.halt_of(states, part) for part in PARTS}
    with ThreadPoolExecutor(1) as pool:
        memory = pool.submit(driver.memory, states.values())
        observed = remote.run(stack, _look, states, halts)
        rows = [
            _row(name, states.get(name), observed.get(name), halts) for name in _in_order(states)
        ]
        return ShopStatus(
            [replace(row, memory=memory.result().get(row.instance, 0)) for row in rows]
        )


def _in_order(states: Mapping[str, State]) -> list[str]:
    """The instances part by part; a part that was never started is shown by its first."""
    return [name for part in PARTS for name in part.among(states) or [part.instance()]]


def _absent(service: str, instance: str) -> StatusRow:
    return StatusRow(service, instance, NOT_RUNNING, healthy=False, reason="not running")


@dataclass(frozen=True)
class Observation:
    """What asking an instance has shown."""

    verdict: health.InstanceHealth
    port: int | None = None
    breakers: dict[str, str] = field(default_factory=dict)
    assaults: list[str] = field(default_factory=list)
    canary: str = ""


def _look(
    stack: Stack, states: Mapping[str, State], halts: Mapping[str, int]
) -> dict[str, Observation]:
    """Ask all that are there, side by side."""
    known = health.addresses(stack, states)
    there = [state for name, state in states.items() if is_instance(name)]
    with ThreadPoolExecutor(ASKED_AT_ONCE) as pool:
        observed = pool.map(
            lambda state: _observe(stack, state, _is_paused(state, halts), known), there
        )
        return dict(zip((state.instance for state in there), observed, strict=True))


def _observe(
    stack: Stack, state: State, paused: bool, known: dict[str, health.Endpoint]
) -> Observation:
    at = health.socket(stack, state)
    verdict = PAUSED if paused else _verdict(stack, state, known)
    actuator = _actuator(stack, part_of(state.instance), at, verdict)
    return Observation(
        verdict,
        port=at.port if at else None,
        breakers=actuator.breakers() if actuator else {},
        assaults=chaos_monkey_client.read(actuator) if actuator else [],
        canary=known[state.instance].canary if state.instance in known else "",
    )


def _is_paused(state: State, halts: Mapping[str, int]) -> bool:
    """What has a throttle stands still now and then."""
    return state.is_paused and not halts[part_of(state.instance).name]


def _row(
    name: str, state: State | None, observed: Observation | None, halts: Mapping[str, int]
) -> StatusRow:
    part = part_of(name)
    if state is None or observed is None:
        return _absent(part.name, name)
    paused = _is_paused(state, halts)
    return StatusRow(
        service=part.name,
        instance=name,
        state=_shown(state, paused),
        healthy=observed.verdict.healthy,
        reason=observed.verdict.reason,
        pid=state.pid,
        port=observed.port,
        breakers=observed.breakers,
        faults=_process_faults(state, paused, halts[part.name]) + observed.assaults,
        canary=observed.canary,
    )


def _actuator(
    stack: Stack, part: Part, at: health.Endpoint | None, verdict: health.InstanceHealth
) -> ActuatorClient | None:
    """None for what has none, or would not answer: each question in vain costs seconds."""
    if at is None or not part.is_ours or verdict in (PAUSED, health.SILENT):
        return None
    return ActuatorClient.of(stack, part, at.url)


def _verdict(
    stack: Stack, state: State, known: dict[str, health.Endpoint]
) -> health.InstanceHealth:
    if not state.is_running:
        return health.InstanceHealth(False, state.reason or "not running")
    return health.check(stack, state.instance, known)


def _shown(state: State, paused: bool) -> str:
    if paused:
        return "PAUSED"
    return "RUNNING" if state.is_running else state.state


def _process_faults(state: State, paused: bool, halt: int) -> list[str]:
    """What is done to it from outside."""
    faults = [state.ended_by, "paused" if paused else "", f"throttled {halt} ms" if halt else ""]
    return [fault for fault in faults if fault]


def table(status: ShopStatus) -> str:
    """Aligned columns, for a terminal and for a pipe alike."""
    lines = [COLUMNS, *(row.cells() for row in status.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
