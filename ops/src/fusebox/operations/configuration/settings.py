"""`set`: one key of the configuration changed by hand, in all running processes, or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from fusebox.core.errors import Fault
from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import is_instance, part_named, part_of
from fusebox.operations.configuration.known_keys import InstanceKeys, refuse_unknown
from fusebox.operations.drivers import running_driver
from fusebox.runtime import remote
from fusebox.runtime.actuator_client import ActuatorClient
from fusebox.runtime.driver import State
from fusebox.state import config_overlay

KEY = re.compile(r"[A-Za-z0-9_-]+(\[\d+\])*(\.[A-Za-z0-9_-]+(\[\d+\])*)*")


@dataclass(frozen=True)
class RefreshResult:
    """What one process says of the change: the keys that are others now, or why it refuses."""

    instance: str
    changed: tuple[str, ...] = ()
    refusal: str = ""


@dataclass(frozen=True)
class SettingChange:
    """What became of a key set by hand: `old` and `new` are what was and is in force, by instance.

    `was_set` is False for a key that was to be taken back, and that nobody had set.
    """

    key: str
    old: dict[str, str]
    new: dict[str, str]
    was_set: bool = True


def change(stack: Stack, key: str, value: str | None, service: str | None) -> SettingChange:
    """As `set_key` does it, of a key that a process reads; what was in force, and what is."""
    _refuse_unreadable(key, value)
    states = running_driver(stack).states()
    targets = [state for state in states.values() if _is_asked(state, None)]
    return remote.run(stack, _change, key, value, service, targets)


def _change(
    stack: Stack, key: str, value: str | None, service: str | None, states: list[State]
) -> SettingChange:
    before = _keys_of_all(stack, states)
    refuse_unknown(key, service, before)
    readers = [keys.instance for keys in before if keys.reads(key)]
    readers = [name for name in readers if service in (None, part_of(name).name)]
    was_set = key in config_overlay.read(config_overlay.file(stack, service))
    if value is not None or was_set:
        _set(stack, service, {key: value}, [state for state in states if _is_asked(state, service)])
    after = _keys_of_all(stack, [state for state in states if state.instance in readers])
    return SettingChange(
        key,
        {keys.instance: keys.value(key) for keys in before if keys.instance in readers},
        {keys.instance: keys.value(key) for keys in after},
        value is not None or was_set,
    )


def _keys_of_all(stack: Stack, states: Sequence[State]) -> list[InstanceKeys]:
    with ThreadPoolExecutor(max(1, len(states))) as pool:
        asked_for = pool.map(lambda state: InstanceKeys.of(stack, state), states)
        return [keys for keys in asked_for if keys is not None]


def set_by_hand(stack: Stack) -> dict[str, dict[str, str]]:
    """All keys that are set, by the service that they are for; `application` stands for all."""
    return remote.run(stack, config_overlay.set_by_hand)


def set_key(stack: Stack, key: str, value: str | None, service: str | None) -> list[RefreshResult]:
    """Give `key` a `value`, or take it back, for all or one service; who was told, and its answer.

    Raises Fault, and leaves everything as it was, when a process refuses the value.
    """
    return set_keys(stack, {key: value}, service)


def set_keys(
    stack: Stack, values: Mapping[str, str | None], service: str | None
) -> list[RefreshResult]:
    """The same for several keys at once: all or none."""
    for key, value in values.items():
        _refuse_unreadable(key, value)
    name = part_named(service).name if service else None
    states = running_driver(stack).states()
    targets = [state for state in states.values() if _is_asked(state, service)]
    return remote.run(stack, _set, name, dict(values), targets)


def _set(
    stack: Stack, name: str | None, values: Mapping[str, str | None], targets: list[State]
) -> list[RefreshResult]:
    file = config_overlay.file(stack, name)
    with config_overlay.alone(stack):
        before = file.read_bytes() if file.exists() else b""
        config_overlay.change(file, values)
        results = _refresh_all(stack, targets)
        refused = [result for result in results if result.refusal]
        if refused:
            write_whole(file, before)
            _refresh_all(stack, targets)
    if refused:
        raise Fault(
            f"{', '.join(values)} was not set: {refused[0].instance} says: {refused[0].refusal}",
            where=str(file),
            remedy="nothing was changed; give a value that its configuration can have.",
        )
    return results


def _refuse_unreadable(key: str, value: str | None) -> None:
    if not KEY.fullmatch(key):
        raise Fault(
            f"{key!r} is no key of the configuration",
            remedy="give one like fusebox.breaker.fail-max; /actuator/env shows those in use.",
            exit_code=2,
        )
    if value is not None and ("\n" in value or "\\" in value):
        raise Fault(
            "a value with a line break or a backslash cannot be set by hand",
            remedy="write it into a file in config/.",
            exit_code=2,
        )


def _is_asked(state: State, service: str | None) -> bool:
    if not state.is_running or not is_instance(state.instance):
        return False
    part = part_of(state.instance)
    return part.is_ours and service in (None, part.name)


def _refresh_all(stack: Stack, targets: list[State]) -> list[RefreshResult]:
    with ThreadPoolExecutor(max(1, len(targets))) as pool:
        return list(pool.map(lambda state: _refresh(stack, state), targets))


def _refresh(stack: Stack, state: State) -> RefreshResult:
    actuator = ActuatorClient.at(stack, state)
    if actuator is None:
        return RefreshResult(state.instance)
    answer = actuator.post("refresh")
    body = answer.json()
    if answer.ok and isinstance(body, list):
        return RefreshResult(state.instance, tuple(map(str, body)))
    detail = body.get("detail") if isinstance(body, dict) else None
    return RefreshResult(state.instance, refusal=str(detail or "no answer"))
