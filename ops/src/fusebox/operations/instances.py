"""kill, start, stop, scale and roll: one part of a running shop, or one instance of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from fusebox.core.errors import Fault
from fusebox.core.files import locked
from fusebox.core.stack import Stack
from fusebox.core.topology import SERVICES, Part, number_of, part_named
from fusebox.core.wait import Late, wait_until
from fusebox.network import kafka_admin
from fusebox.operations.drivers import running_driver
from fusebox.runtime import health, remote, stopper
from fusebox.runtime.driver import Driver, State
from fusebox.runtime.launcher import CHECK_SECONDS, Launcher
from fusebox.state import canary_mark

KILL_SECONDS = 5
# Each instance keeps connections of PostgreSQL, which has 200 of them for all.
MOST_INSTANCES = 16
# Callers fetch the registry every second; one that takes so long is in trouble of its own.
REACHED_SECONDS = 60


def chosen(states: Mapping[str, State], name: str, number: int | None) -> list[str]:
    """The instances of part `name`: all, or the one with that number."""
    part = part_named(name)
    there = part.among(states)
    selected = there if number is None else [part.instance(number)]
    if not selected or not set(selected) <= set(there):
        requested = part.name if number is None else part.instance(number)
        raise Fault(
            f"there is no {requested} in this shop",
            remedy=f"its instances are {', '.join(there) or 'none; start the shop first'}.",
            exit_code=2,
        )
    return selected


def kill(stack: Stack, name: str, number: int | None) -> list[str]:
    """SIGKILL; they stay dead until they are started. Returns whom it hit."""
    driver = running_driver(stack)
    instances = chosen(driver.states(), name, number)
    for instance in instances:
        driver.kill(instance)
    stopper.wait_until_dead(driver, instances, KILL_SECONDS)
    driver.release(part_named(name))
    return instances


def stop(stack: Stack, name: str, number: int | None) -> list[str]:
    """SIGTERM, and SIGKILL for who has not ended in time."""
    driver = running_driver(stack)
    instances = chosen(driver.states(), name, number)
    driver.release(part_named(name))  # it would halt who is to end
    stopper.stop(driver, instances)
    return instances


def start(stack: Stack, name: str, number: int | None) -> list[str]:
    """Start them, let go on who is paused, and return when they are healthy and callers reach them.

    While discovery is away nobody hears of them, and they are started all the same.
    """
    driver = running_driver(stack)
    instances = chosen(driver.states(), name, number)
    for instance in instances:
        driver.resume(instance)
    launch(stack, driver, instances)
    if part_named(name) in SERVICES and remote.run(stack, health.registered):
        for instance in instances:
            wait_until_reached(stack, driver, instance)
    return instances


def launch(stack: Stack, driver: Driver, instances: Sequence[str]) -> None:
    """Start them side by side and return when they are healthy."""
    Launcher(stack, driver, threading.Event()).launch_all(instances)


def scale(stack: Stack, name: str, number: int) -> list[str]:
    """Run the instances 1 to `number` of service `name` and no others; returns their names."""
    part = service_named(name, "scaled")
    refuse_number(part, number)
    driver = running_driver(stack)
    with alone(stack, part):
        _refuse_with_canary(stack, driver, part)
        targets = [part.instance(n) for n in range(1, number + 1)]
        bring_up(stack, driver, part, targets)
        there = part.among(driver.states())
        drain(stack, driver, part, [name for name in reversed(there) if name not in targets])
    return targets


def roll(stack: Stack, name: str) -> list[str]:
    """Restart the instances of service `name` one after another, beside one more that serves.

    Returns who was restarted.  No request fails: there is always an instance that callers know.
    """
    part = service_named(name, "rolled")
    driver = running_driver(stack)
    refuse_without_discovery(stack)
    with alone(stack, part):
        _refuse_with_canary(stack, driver, part)
        instances = chosen(driver.states(), name, None)
        surge = part.instance(number_of(instances[-1]) + 1)
        try:
            with turn(stack):
                bring_up(stack, driver, part, [surge])
                wait_until_reached(stack, driver, surge)
            cut_short = [name for name in instances if not _restarted(stack, driver, name)]
        except Fault as fault:
            fault.remedy = _back_from(part, instances, surge)
            raise
        with turn(stack):
            drain(stack, driver, part, [surge])
    if cut_short:
        raise Fault(
            f"{', '.join(cut_short)} had not finished in time and was killed: requests may be lost",
            remedy=f"all run again; make logs SERVICE={part.name} shows what took so long.",
        )
    return instances


def _restarted(stack: Stack, driver: Driver, instance: str) -> bool:
    """False when it had to be killed."""
    with turn(stack):
        stopper.stop(driver, [instance])
        in_time = driver.states()[instance].ended_by != "killed"
        launch(stack, driver, [instance])
        wait_until_reached(stack, driver, instance)
    return in_time


def service_named(name: str, done: str) -> Part:
    part = part_named(name)
    if part not in SERVICES:
        raise Fault(
            f"{part.name} cannot be {done}: it has one fixed port, so there is only one of it",
            remedy=f"name one of {', '.join(service.name for service in SERVICES)}; to restart it"
            f" with a gap of seconds: make stop SERVICE={part.name} &&"
            f" make start SERVICE={part.name}.",
            exit_code=2,
        )
    return part


def refuse_number(part: Part, number: int) -> None:
    if 1 <= number <= MOST_INSTANCES:
        return
    raise Fault(
        f"{part.name} cannot have {number} instances",
        remedy=f"give N=1 to N={MOST_INSTANCES}, as in `make scale SERVICE={part.name} N=3`;"
        f" `make stop SERVICE={part.name}` ends them all.",
        exit_code=2,
    )


def _refuse_with_canary(stack: Stack, driver: Driver, part: Part) -> None:
    canary = canary_mark.canary(stack, part, driver.states())
    if canary:
        raise Fault(
            f"{canary} is a canary, and its service is neither scaled nor rolled meanwhile",
            remedy=f"end it with `make canary SERVICE={part.name} WEIGHT=0`.",
        )


@contextmanager
def alone(stack: Stack, part: Part) -> Iterator[None]:
    """Who changes the number of instances waits for who does so already."""
    with locked(stack.run / f"{part.name}.lock"):
        yield


def bring_up(stack: Stack, driver: Driver, part: Part, targets: Sequence[str]) -> None:
    """Have all `targets` instances running; those that do already are left as they are."""
    states = driver.states()
    for instance in targets:
        if instance not in states:
            driver.add(part, number_of(instance))
    down = [name for name in targets if name not in states or not states[name].is_running]
    launch(stack, driver, down)


def drain(stack: Stack, driver: Driver, part: Part, surplus: Sequence[str]) -> None:
    """End `surplus` for good: their requests finished, their partitions given to the others."""
    if surplus:
        stopper.withdraw(driver, surplus)
        remote.run(stack, kafka_admin.forget_members, part.name, surplus)


def refuse_without_discovery(stack: Stack) -> None:
    if not remote.run(stack, health.registered):
        raise Fault(
            "discovery does not answer, and callers would not hear of a new instance",
            remedy="make heal SERVICE=discovery",
        )


@contextmanager
def turn(stack: Stack) -> Iterator[None]:
    """One instance at a time comes or goes, whatever is rolled: services need one another."""
    with locked(stack.run / "roll.lock"):
        yield


def wait_until_reached(stack: Stack, driver: Driver, instance: str) -> None:
    """Until every caller has `instance` in its list and has reached it; Fault names who has not."""
    late: list[str] = []

    def is_reached() -> bool:
        states = driver.states().items()
        awake = [name for name, state in states if state.is_running and not state.is_paused]
        late[:] = remote.run(stack, health.late_for, instance, awake)
        return not late

    try:
        wait_until(is_reached, REACHED_SECONDS, instance, pause=CHECK_SECONDS)
    except Late as error:
        raise Fault(
            f"{instance} runs, and is not reached by {', '.join(late)}",
            remedy="make status shows whether they are well; make doctor says what is wrong.",
        ) from error


def _back_from(part: Part, instances: Sequence[str], surge: str) -> str:
    return (
        f"see `make status`; {surge}, begun for the roll, goes on serving until"
        f" `make scale SERVICE={part.name} N={len(instances)}`."
    )
