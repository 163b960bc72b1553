"""The state of every instance: what its driver says, and what asking it shows."""

from __future__ import annotations

from collections.abc import Container, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from fusebox.core.stack import Stack
from fusebox.core.topology import DATABASES, PARTS, Part, is_instance, part_of
from fusebox.network import postgres_probe
from fusebox.operations.drivers import driver_of
from fusebox.runtime import chaos_monkey_client, health, remote
from fusebox.runtime.actuator_client import ActuatorClient, BreakerState
from fusebox.runtime.driver import State
from fusebox.state import canary_mark

ASKED_AT_ONCE = 8
NOT_RUNNING = "DOWN"
STARTING = "STARTING"
PAUSED = health.InstanceHealth(False, "paused")


# What a component of a process' health says about another part.
ABOUT = {
    "consumer": "kafka",
    "db": "postgres",
    "discovery": "discovery",
    "outbox": "kafka",
    "registry": "discovery",
    "tokens": "user-service",
}


@dataclass(frozen=True)
class StatusRow:
    """One instance; `memory` is in bytes: its proportional share (PSS), or its container's.

    `faults` is what somebody has done to it: killed, stopped, paused, slow 300 ms, …  `canary` is
    the version of one that is on trial, and `weight` its share in per cent.  `problems` are the
    components of its health that are DOWN.  `outbox` is how many events wait there to be published.
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
    breaker_details: list[BreakerState] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    canary: str = ""
    weight: str = ""
    outbox: int = 0

    @property
    def is_starting(self) -> bool:
        """One that the shop does without is not there yet."""
        return self.state == STARTING

    def is_explained_by(self, broken: Container[str]) -> bool:
        """Whether nothing is wrong here but what was done on purpose to it, or to `broken`."""
        if self.faults or self.is_starting:
            return True
        if any(ABOUT.get(name) not in broken for name in self.problems):
            return False
        if self.healthy or self.problems:
            return True
        return self.reason == health.NOT_REGISTERED and "discovery" in broken


@dataclass(frozen=True)
class ShopStatus:
    rows: list[StatusRow]

    @property
    def healthy(self) -> bool:
        return bool(self.rows) and all(row.healthy or row.is_starting for row in self.rows)

    @property
    def is_as_meant(self) -> bool:
        """Whether nothing is wrong but what was broken on purpose, and what follows from that."""
        broken = {row.service for row in self.rows if row.faults}
        return not self.is_down and all(row.is_explained_by(broken) for row in self.rows)

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
    breakers: list[BreakerState] = field(default_factory=list)
    assaults: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    canary: str = ""
    weight: str = ""
    outbox: int = 0


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
        observations = dict(zip((state.instance for state in there), observed, strict=True))
    return _with_outboxes(stack, observations)


def _with_outboxes(stack: Stack, observed: dict[str, Observation]) -> dict[str, Observation]:
    """The first instance of each service stands for the outbox of all."""
    if not observed.get("postgres-1", Observation(PAUSED)).verdict.healthy:
        return observed
    firsts = {part.instance(): part for part in DATABASES.values()}
    waiting = {
        name: replace(observed[name], outbox=postgres_probe.rows(stack, part.database, "outbox"))
        for name, part in firsts.items()
        if name in observed
    }
    return {**observed, **waiting}


def _observe(
    stack: Stack, state: State, paused: bool, known: dict[str, health.Endpoint]
) -> Observation:
    at = health.socket(stack, state)
    verdict = PAUSED if paused else _verdict(stack, state, known)
    actuator = _actuator(stack, part_of(state.instance), at, verdict)
    canary = known[state.instance].canary if state.instance in known else ""
    return Observation(
        verdict,
        port=at.port if at else None,
        breakers=actuator.breakers() if actuator else [],
        assaults=chaos_monkey_client.read(actuator) if actuator else [],
        problems=actuator.problems() if actuator else {},
        canary=canary,
        weight=canary_mark.weight(stack, part_of(state.instance)) if canary else "",
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
    starting = part.optional and state.is_new and not paused and not observed.verdict.healthy
    return StatusRow(
        service=part.name,
        instance=name,
        state=STARTING if starting else _shown(state, paused),
        healthy=observed.verdict.healthy,
        reason=observed.verdict.reason,
        pid=state.pid,
        port=observed.port,
        breakers={breaker.name: breaker.state for breaker in observed.breakers},
        breaker_details=observed.breakers,
        faults=_process_faults(state, paused, halts[part.name]) + observed.assaults,
        problems=observed.problems,
        canary=observed.canary,
        weight=observed.weight,
        outbox=observed.outbox,
    )


def _actuator(
    stack: Stack, part: Part, at: health.Endpoint | None, verdict: health.InstanceHealth
) -> ActuatorClient | None:
    """None for what has none, or would not answer: each question in vain costs seconds."""
    if at is None or not part.is_ours or verdict in (PAUSED, health.SILENT):
        return None
    return ActuatorClient(stack, at.url, part)


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
