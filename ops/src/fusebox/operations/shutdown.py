"""Ending a stack: in order when its supervisor lives, one by one when it does not."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable

import psutil

from fusebox.core.stack import Stack
from fusebox.core.topology import is_instance, part_of
from fusebox.core.wait import wait_until
from fusebox.docker import startup as docker
from fusebox.native import postgres
from fusebox.native.programs import STOP_WAIT_SECONDS
from fusebox.native.supervisor import Supervisor

ORPHAN_SECONDS = 10


def down(stack: Stack) -> bool:
    """Leave nothing running and the data where they are; False when nothing ran."""
    if stack.mode == "docker":
        return docker.down(stack)
    supervisor = Supervisor(stack)
    was_up = supervisor.is_up()
    if was_up:
        _stop_in_order(supervisor)
        _end_supervisor(supervisor)
    return bool(end_orphans(stack)) or was_up


def clean(stack: Stack) -> None:
    """Remove the stack with all its data; it has to be down."""
    if stack.mode == "docker":
        docker.clean(stack)
    if stack.mode == "docker" and stack.data.exists() and any(stack.data.iterdir()):
        return  # the rest is a shop's of plain processes
    postgres.remove_refuge(stack)
    if stack.socket.parent != stack.run:
        shutil.rmtree(stack.socket.parent, ignore_errors=True)
    own = (stack.config, stack.data, stack.logs, stack.home / "secrets", stack.run)
    for folder in own:
        shutil.rmtree(folder, ignore_errors=True)
    if stack.home.is_dir() and not any(stack.home.iterdir()):
        stack.home.rmdir()


def _stop_in_order(supervisor: Supervisor) -> None:
    """First who serves and publishes, then what they do it with; before both, who hinders them."""
    running = [name for name, state in supervisor.states().items() if state.is_running]
    helpers = [name for name in running if not is_instance(name)]
    serving = [name for name in running if is_instance(name) and _serves(name)]
    _stop_all(supervisor, helpers)
    for name in running:
        supervisor.resume(name)  # the others would wait for it in vain
    _stop_all(supervisor, serving)
    _stop_all(supervisor, [name for name in running if name not in (*helpers, *serving)])


def _serves(instance: str) -> bool:
    part = part_of(instance)
    return part.kind == "service" or part.name == "gateway"


def _stop_all(supervisor: Supervisor, names: Iterable[str]) -> None:
    wanted = set(names)
    if not wanted:
        return
    for name in wanted:
        supervisor.stop(name)

    def are_stopped() -> bool:
        return all(not state.pid for name, state in supervisor.states().items() if name in wanted)

    wait_until(are_stopped, STOP_WAIT_SECONDS + ORPHAN_SECONDS, "the supervisor")


def _end_supervisor(supervisor: Supervisor) -> None:
    process = psutil.Process(supervisor.pid())
    supervisor.shut_down()
    process.wait(ORPHAN_SECONDS)


def orphans(stack: Stack) -> list[psutil.Process]:
    """Every process that was started for this stack, whoever its parent is now."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    found = [process for process in psutil.process_iter() if process.pid not in own]
    return [process for process in found if _belongs(process, stack)]


def _belongs(process: psutil.Process, stack: Stack) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("FUSEBOX_STACK") == str(stack.home)
    except (psutil.AccessDenied, psutil.NoSuchProcess, OSError):
        return False


def end_orphans(stack: Stack) -> list[psutil.Process]:
    """End what a dead supervisor has left, first kindly; returns what there was."""
    left = orphans(stack)
    for process in left:
        _signal(process, "resume")  # what is paused hears nothing else
        _signal(process, "terminate")
    _, stubborn = psutil.wait_procs(left, ORPHAN_SECONDS)
    for process in stubborn:
        _signal(process, "kill")
    psutil.wait_procs(stubborn, ORPHAN_SECONDS)
    return left


def _signal(process: psutil.Process, how: str) -> None:
    try:
        getattr(process, how)()
    except psutil.NoSuchProcess:
        return
