"""Whether an instance and its part are up, and if not, why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from panel.model.facts import Facts, InstanceFacts, PartFacts, ProcessFacts, Registration

UP, DEGRADED, DOWN = "up", "degraded", "down"
STARTING, STOPPED, PAUSED, UNKNOWN = "starting", "stopped", "paused", "unknown"
# What says most about a part none of whose instances is up.
WORST = (STARTING, PAUSED, DOWN, STOPPED, UNKNOWN)
SELF_PRESERVATION = "self-preservation: nobody who is silent is taken out of the registry"

State = tuple[str, str | None]


def instances_of(facts: Facts, part: PartFacts) -> list[dict[str, Any]]:
    """Those that run it, those that discovery lists, those that it always has."""
    registered = {one.instance: one for one in facts.registry if one.service == part.name}
    processes = facts.processes or {}
    names = {*registered, *part.fixed}
    names |= {name for name in processes if name.rpartition("-")[0] == part.name}
    return [
        _instance(name, registered.get(name), processes.get(name), facts.instances.get(name))
        for name in sorted(names, key=_by_number)
    ]


def _by_number(name: str) -> tuple[str, int]:
    part, _, number = name.rpartition("-")
    return part, int(number) if number.isdecimal() else 0


def _instance(
    name: str,
    registered: Registration | None,
    process: ProcessFacts | None,
    known: InstanceFacts | None,
) -> dict[str, Any]:
    state, reason = _state(process, known)
    return {
        "id": name,
        "address": f"{registered.host}:{registered.port}" if registered else None,
        "state": state,
        "version": registered.version if registered else None,
        "canary": registered.canary if registered else False,
        "reason": reason,
    }


def _state(process: ProcessFacts | None, known: InstanceFacts | None) -> State:
    if process is not None:
        if process.is_paused:
            return PAUSED, "paused on purpose"
        if process.ended_by:
            return (STOPPED if process.ended_by == "stopped" else DOWN), _on_purpose(process)
        if not process.is_running:
            return DOWN, process.reason or "does not run"
    if known is None or known.look is None:
        return (STARTING, None) if process and process.is_starting else (UNKNOWN, None)
    if known.look.error:
        is_starting = process is not None and process.is_starting
        return STARTING if is_starting else DOWN, known.look.error
    problems = problems_of(known.health)
    if problems:
        return DEGRADED, "; ".join(f"{name}: {error}" for name, error in problems.items())
    return (UP, SELF_PRESERVATION) if known.self_preservation else (UP, None)


def _on_purpose(process: ProcessFacts) -> str:
    return f"{process.ended_by} on purpose"


def problems_of(health: Mapping[str, Any]) -> dict[str, str]:
    """Why each component that is not UP is so."""
    components = health.get("components")
    if not isinstance(components, Mapping):
        return {}
    return {
        name: str((component.get("details") or {}).get("error") or "is down")
        for name, component in components.items()
        if isinstance(component, Mapping) and component.get("status") not in (UP.upper(), None)
    }


def part_state(instances: list[dict[str, Any]]) -> State:
    states = [instance["state"] for instance in instances]
    if not states:
        return DOWN, "no instance is registered"
    if all(state == UP for state in states):
        return UP, next((one["reason"] for one in instances if one["reason"]), None)
    if UP in states or DEGRADED in states:
        odd = next(one for one in instances if one["state"] != UP)
        return DEGRADED, f"{odd['id']}: {odd['reason'] or odd['state']}"
    state = next(state for state in WORST if state in states)
    return state, next(one["reason"] for one in instances if one["state"] == state)
