"""slow, fail, pause and heal: faults on demand, for our processes and for the infrastructure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS, is_instance, part_named, part_of
from fusebox.operations import instances
from fusebox.operations.drivers import running_driver
from fusebox.runtime import chaos_monkey_client, throttles
from fusebox.runtime.actuator_client import ActuatorClient
from fusebox.runtime.driver import Driver, State

SLOWEST_MILLISECONDS = 60_000


def slow(stack: Stack, name: str, milliseconds: int, number: int | None = None) -> list[str]:
    """Every answer comes `milliseconds` late, of Kafka, PostgreSQL and Zipkin up to so much.

    Returns whom it hit.
    """
    part = part_named(name)
    if not 1 <= milliseconds <= SLOWEST_MILLISECONDS:
        raise Fault(
            f"{milliseconds} ms is no delay that can be had",
            remedy=f"give 1 to {SLOWEST_MILLISECONDS}; `make heal SERVICE={name}` takes it off.",
            exit_code=2,
        )
    if part.is_ours:
        return _assault(stack, name, number, chaos_monkey_client.latency(milliseconds))
    driver = running_driver(stack)
    running = _running(driver, name, number)
    throttles.apply(driver, part, milliseconds)
    return running


def fail(stack: Stack, name: str, rate: float, number: int | None = None) -> list[str]:
    """The share `rate` (0 to 1) of all requests is answered with an error. Returns whom it hit."""
    part = part_named(name)
    if not 0 <= rate <= 1:
        raise Fault(f"{rate:g} is no share", remedy="give 0 to 1; 0.5 is half.", exit_code=2)
    if not part.is_ours:
        raise Fault(
            f"{part.name} is not ours and cannot be told to answer with errors",
            remedy=f"make kill, pause or slow SERVICE={part.name}.",
            exit_code=2,
        )
    return _assault(stack, name, number, chaos_monkey_client.exceptions(rate))


def pause(stack: Stack, name: str, number: int | None = None) -> list[str]:
    """SIGSTOP: they take connections and answer nothing. Returns whom it hit."""
    driver = running_driver(stack)
    driver.release(part_named(name))  # it would let them go on
    states = driver.states()
    there = instances.chosen(states, name, number)
    running = [name for name in there if states[name].pid]
    _refuse_none(there, running)
    for instance in running:
        driver.pause(instance)
    return running


def heal(stack: Stack, name: str | None = None) -> list[str]:
    """Undo every fault, of all parts or of part `name`; returns what was healed, in words."""
    driver = running_driver(stack)
    names = [part.name for part in PARTS] if name is None else [part_named(name).name]
    states = driver.states()
    affected = [name for name in states if is_instance(name) and part_of(name).name in names]
    done = _release(driver, names)
    paused = [name for name in affected if driver.resume(name)]
    dead = [name for name in affected if not states[name].is_running]
    # First who answers now: the others may take their time, or never come back.
    done += _calm(stack, states, [name for name in affected if name not in (*paused, *dead)])
    instances.launch(stack, driver, [*dead, *paused])
    done += [f"{name} goes on" for name in paused] + _calm(stack, states, paused)
    return [*done, *(f"{name} is healthy" for name in dead)]


def _assault(stack: Stack, name: str, number: int | None, assaults: dict[str, object]) -> list[str]:
    driver = running_driver(stack)
    states, running = driver.states(), _running(driver, name, number)
    for instance in running:
        actuator = ActuatorClient.at(stack, states[instance])
        if actuator is None:
            raise Fault(f"{instance} takes no connections yet", remedy="see `make status`.")
        chaos_monkey_client.assault(actuator, instance, assaults)
    return running


def _running(driver: Driver, name: str, number: int | None) -> list[str]:
    """The chosen instances that can be told something."""
    states = driver.states()
    there = instances.chosen(states, name, number)
    throttled = driver.halt_of(states, part_named(name))
    running = [
        name
        for name in there
        if states[name].is_running and (throttled or not states[name].is_paused)
    ]
    _refuse_none(there, running)
    return running


def _refuse_none(there: Sequence[str], running: Sequence[str]) -> None:
    if not running:
        raise Fault(
            f"{', '.join(there)} cannot be broken further: paused, or not running",
            remedy=f"make heal SERVICE={part_of(there[0]).name}",
        )


def _release(driver: Driver, names: Sequence[str]) -> list[str]:
    parts = [part_named(name) for name in names if not part_named(name).is_ours]
    released = [part for part in parts if driver.release(part)]
    return [f"{part.instance()} is no longer throttled" for part in released]


def _calm(stack: Stack, states: Mapping[str, State], affected: Sequence[str]) -> list[str]:
    """Take the assaults off those of `affected` that have any."""
    healed = []
    for instance in affected:
        actuator = ActuatorClient.at(stack, states[instance])
        under_way = chaos_monkey_client.calm(actuator, instance) if actuator else ()
        healed += [f"{instance} is no longer told to: {assault}" for assault in under_way]
    return healed
