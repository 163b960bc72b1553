"""kill, start and stop: one part of a running shop, or one instance of it."""

from __future__ import annotations

import threading

from fusebox.errors import Fault
from fusebox.launching import Launcher
from fusebox.parts import part_named
from fusebox.programs import STOP_WAIT_SECONDS
from fusebox.stack import Stack
from fusebox.supervision import State, Supervisor
from fusebox.waiting import wait_until

KILL_SECONDS = 5
# What supervisord itself may need on top to notice that a process has ended.
NOTICE_SECONDS = 3


def running_supervisor(stack: Stack) -> Supervisor:
    supervisor = Supervisor(stack)
    if not supervisor.is_up():
        raise Fault("the shop is not running", remedy="start it with `make up`.")
    return supervisor


def chosen(states: dict[str, State], name: str, number: int | None) -> list[str]:
    """The instances of part `name`: all, or the one with that number."""
    part = part_named(name)
    there = sorted(each for each in states if each.rpartition("-")[0] == part.name)
    wanted = there if number is None else [part.instance(number)]
    if not wanted or not set(wanted) <= set(there):
        asked = part.name if number is None else part.instance(number)
        raise Fault(
            f"there is no {asked} in this shop",
            remedy=f"its instances are {', '.join(there) or 'none; start the shop first'}.",
            exit_code=2,
        )
    return wanted


def kill(stack: Stack, name: str, number: int | None) -> list[str]:
    """SIGKILL; they stay dead until they are started. Returns whom it hit."""
    supervisor = running_supervisor(stack)
    instances = chosen(supervisor.states(), name, number)
    for instance in instances:
        supervisor.kill(instance)
    _wait_until_dead(supervisor, instances, KILL_SECONDS)
    return instances


def stop(stack: Stack, name: str, number: int | None) -> list[str]:
    """SIGTERM, and SIGKILL for who has not ended in time."""
    supervisor = running_supervisor(stack)
    instances = chosen(supervisor.states(), name, number)
    for instance in instances:
        supervisor.stop(instance)
    _wait_until_dead(supervisor, instances, STOP_WAIT_SECONDS + NOTICE_SECONDS)
    return instances


def start(stack: Stack, name: str, number: int | None) -> list[str]:
    """Start them and return when they are healthy."""
    supervisor = running_supervisor(stack)
    instances = chosen(supervisor.states(), name, number)
    launcher = Launcher(stack, supervisor, threading.Event())
    for instance in instances:
        launcher.launch(instance)
    return instances


def _wait_until_dead(supervisor: Supervisor, instances: list[str], seconds: float) -> None:
    def are_dead() -> bool:
        states = supervisor.states()
        return not any(states[instance].pid for instance in instances)

    wait_until(are_dead, seconds, f"the end of {', '.join(instances)}")
