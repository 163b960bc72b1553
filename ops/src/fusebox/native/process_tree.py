"""A supervised process with all it has begun: paused, let go, looked into, by its pid."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

import psutil

STOPPED_SECONDS = 1.0
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


def listening_port(pid: int) -> int | None:
    """The port that `pid` takes connections on; None when there is none."""
    with suppress(*GONE):
        for connection in psutil.Process(pid).net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                return int(connection.laddr[1])
    return None


def last_argument(pid: int) -> str:
    """Of the command line of `pid`; empty when it has ended."""
    with suppress(*GONE):
        return (psutil.Process(pid).cmdline() or [""])[-1]
    return ""
