"""`doctor`: why it does not work, and what to do about it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.docker import compose, images
from fusebox.native import jars, process_tree
from fusebox.network.ports import strangers
from fusebox.operations import status
from fusebox.operations.drivers import driver_of

OLDEST_PYTHON = (3, 11)
NEWEST_PYTHON = (3, 14)
DISK_BYTES = 2_000_000_000
MEMORY_BYTES = 1_500_000_000
# A file may come from a machine whose clock is a little ahead.
CLOCK_SECONDS = 120

# The components of health that speak of the files in config/.
WRITTEN = ("configuration", "files")


@dataclass(frozen=True)
class Check:
    """One thing looked at; `remedy` is what to do when it is not right."""

    name: str
    right: bool
    finding: str
    remedy: str = ""


def examine(stack: Stack) -> Iterator[Check]:
    in_containers = stack.mode == "docker"
    first = _docker() if in_containers else _python()
    yield first
    if in_containers and not first.right:
        return  # there is nobody to ask for the rest
    running = driver_of(stack).is_up()
    yield _program("make", "install GNU make; every command here is a make verb.")
    yield _program("curl", "install curl, or place orders with another HTTP client.")
    yield from _ports(stack, running)
    yield _disk(stack)
    yield _memory(running)
    yield _images(stack) if in_containers else _downloads(stack)
    yield _clock(stack)
    yield from _health(stack, running)


def _docker() -> Check:
    try:
        compose.refuse_unfit()
    except Fault as fault:
        finding = " ".join([fault.what, *fault.where.splitlines()])
        return Check("Docker", False, finding, fault.remedy)
    return Check("Docker", True, compose.described())


def _images(stack: Stack) -> Check:
    missing = images.outdated(stack)
    finding = ", ".join(missing) + ": missing, or older than the sources" if missing else "all fit"
    return Check("images", not missing, finding, "`make up MODE=docker` builds them.")


def _python() -> Check:
    version = sys.version_info[:2]
    return Check(
        "Python",
        OLDEST_PYTHON <= version <= NEWEST_PYTHON,
        sys.version.split()[0],
        "install Python 3.11 to 3.14 and remove .venv, so that it is made anew.",
    )


def _program(name: str, remedy: str) -> Check:
    path = shutil.which(name)
    return Check(name, path is not None, path or "not found", remedy)


def _ports(stack: Stack, running: bool) -> Iterator[Check]:
    numbers = " ".join(map(str, stack.ports.values()))
    if running and stack.mode == "docker":
        yield Check("ports", True, f"{numbers}: held by this shop")
        return
    holders = strangers(stack, stack.ports, partial(process_tree.is_own, stack))
    down = "make down, then " if running else ""
    remedy = f"end it, or move the shop: {down}FUSEBOX_PORT_OFFSET=1000 make up."
    for name, holder in holders.items():
        finding = f"{stack.port(name)} ({name}) is held by {holder}"
        yield Check("port", False, finding, remedy)
    if not holders:
        finding = "held by this shop, or free" if running else "free"
        yield Check("ports", True, f"{numbers}: {finding}")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())


def _disk(stack: Stack) -> Check:
    free = shutil.disk_usage(_existing(stack.home)).free
    finding = f"{free / 1e9:.1f} GB free for {stack.home}"
    return Check("disk", free >= DISK_BYTES, finding, "free 2 GB, or set FUSEBOX_HOME elsewhere.")


def _memory(running: bool) -> Check:
    free = psutil.virtual_memory().available
    finding = f"{free / 1e9:.1f} GB available"
    # A shop that runs has its memory already.
    return Check("memory", running or free >= MEMORY_BYTES, finding, "end other programs: 1.5 GB.")


def _downloads(stack: Stack) -> Check:
    pinned = jars.read_lock(stack.native / "jars.lock")
    missing = jars.unsound(pinned, jars.jar_folder())
    finding = f"{len(pinned) - len(missing)} of {len(pinned)} jars are there and as pinned"
    fetched = not missing or os.access(_existing(jars.jar_folder()), os.W_OK)
    remedy = (
        "`make up` fetches the rest from Maven Central."
        if fetched
        else f"{jars.jar_folder()} is read-only: run `make up` as its owner."
    )
    return Check("downloads", not missing, finding, remedy)


def _clock(stack: Stack) -> Check:
    newest = (stack.native / "jars.lock").stat().st_mtime
    behind = newest - time.time()
    finding = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    remedy = "set the clock: it is behind this clone's files, and tokens and traces go by it."
    return Check("clock", behind < CLOCK_SECONDS, finding, remedy)


def _health(stack: Stack, running: bool) -> Iterator[Check]:
    if not running:
        yield Check("health", True, "the shop is down; `make up` starts it")
        return
    for row in status.read(stack).rows:
        for name, error in row.problems.items():
            remedy = f"make logs SERVICE={row.service}"
            if name in WRITTEN:
                remedy = "mend that file: the values before it stay in use until then."
            yield Check(row.instance, False, f"{name}: {error}", remedy)
        if row.is_starting:
            yield Check(row.instance, True, "is starting; the shop does without it")
            continue
        if not row.healthy:
            verb = "heal" if row.faults else "start"
            remedy = f"make logs SERVICE={row.service}; make {verb} SERVICE={row.service}"
            yield Check(row.instance, False, row.reason, remedy)
            continue
        yield Check(row.instance, True, "healthy")


def lines(check: Check) -> list[str]:
    result = [f"{'ok ' if check.right else 'NOT'}  {check.name:<18} {check.finding}"]
    return result if check.right else [*result, f"     {'':<18} what to do: {check.remedy}"]
