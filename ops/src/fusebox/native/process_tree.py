"""A process with all it has begun: paused, let go, looked into; and what a dead shop has left."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

from fusebox.core.stack import Stack

STOPPED_SECONDS = 1.0
ORPHAN_SECONDS = 10
GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


def pause(pid: int) -> list[psutil.Process]:
    """SIGSTOP the family of `pid`; returns it, in the order in which `let_go` takes it.

    Raises psutil.NoSuchProcess when there is no `pid`.
    """
    parent = psutil.Process(pid)
    parent.suspend()
    _wait_until_stopped(parent)  # so that it begins no other meanwhile
    children = parent.children(recursive=True)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.suspend()
    return [*children, parent]


def _wait_until_stopped(process: psutil.Process) -> None:
    """A busy machine takes its time; a process deep in the kernel may take for ever."""
    end = time.monotonic() + STOPPED_SECONDS
    while process.status() != psutil.STATUS_STOPPED and time.monotonic() < end:
        time.sleep(0.001)


def let_go(family: Iterable[psutil.Process]) -> None:
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.resume()


def resume(pid: int) -> None:
    """SIGCONT the family, `pid` itself last: a parent that runs would miss its children's signs."""
    let_go(reversed(members(pid)))


def is_paused(pid: int) -> bool:
    try:
        return bool(pid) and psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except GONE:
        return False


def members(pid: int) -> list[psutil.Process]:
    """`pid` and its descendants; nobody when it has ended."""
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except GONE:
        return []


def memory(pid: int) -> int:
    """The PSS of the family in bytes; what has ended or is closed to us counts 0."""
    total = 0
    for member in members(pid) if pid else ():
        with suppress(*GONE):
            total += member.memory_full_info().pss
    return total


def last_argument(pid: int) -> str:
    """Of the command line of `pid`; empty when it has ended."""
    with suppress(*GONE):
        return (psutil.Process(pid).cmdline() or [""])[-1]
    return ""


def orphans(stack: Stack) -> list[psutil.Process]:
    """Every process that was started for this stack, whoever its parent is now."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    others = [process for process in psutil.process_iter() if process.pid not in own]
    return [process for process in others if _belongs(process, stack)]


def is_own(stack: Stack, pid: int) -> bool:
    """Whether `pid` was started for this stack."""
    try:
        return _belongs(psutil.Process(pid), stack)
    except psutil.NoSuchProcess:
        return False


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
