"""The verb `up`: at most one at a time, and only on a stack that is down."""

from __future__ import annotations

from fusebox.core.errors import Fault
from fusebox.core.files import locked
from fusebox.core.progress import display
from fusebox.core.stack import Stack
from fusebox.operations import status
from fusebox.operations.drivers import driver_of
from fusebox.state import canary_mark, eureka_zone


def up(stack: Stack) -> bool:
    """Start the shop; False when it was up already. Raises Fault when a part is dead."""
    stack.make_folders()
    with locked(stack.run / "up.lock", wait=False) as mine:
        if not mine:
            raise Fault(f"another `make up` is at work on {stack.home}", remedy="wait for it.")
        if driver_of(stack).is_up():
            if stack.mode == "docker":
                stack.docker_mark.touch()  # somebody may have started it without us
            refuse_dead(status.read(stack))
            return False
        if stack.mode == "docker":
            _start_containers(stack)
        else:
            _start_processes(stack)
        return True


def _start_processes(stack: Stack) -> None:
    from fusebox.native import process_tree
    from fusebox.native.startup import ProcessStartup

    left = process_tree.end_orphans(stack)
    if left:
        print(f"Ended {len(left)} processes that a dead supervisor had left.")
    canary_mark.forget(stack)
    canary_mark.forget_shares(stack)
    eureka_zone.forget(stack)
    shown = display()
    startup = ProcessStartup(stack, shown)
    if what_takes_long := startup.what_takes_long():
        print(what_takes_long)
    with shown:
        startup.run()
    _warn(startup.late)
    if startup.make_aot_caches():
        print(
            "In the background, at the lowest priority, the class archives of Kafka and Zipkin are"
            " made; it takes a minute or two and hinders nobody."
        )


def _start_containers(stack: Stack) -> None:
    from fusebox.docker.startup import ContainerStartup

    with display() as shown:
        startup = ContainerStartup(stack, shown)
        startup.run()
    _warn(startup.late)


def _warn(late: list[str]) -> None:
    for what in late:
        print(
            f"{what}: the shop does without it, and keeps its traces; `make status` shows"
            " when it is there."
        )


def refuse_dead(shop: status.ShopStatus) -> None:
    dead = [row for row in shop.rows if not (row.healthy or row.is_starting)]
    if not dead:
        return
    raise Fault(
        "the shop is up, but not all of it",
        where="\n".join(f"  {row.instance}: {row.reason}" for row in dead),
        remedy=" && ".join(f"make start SERVICE={name}" for name in _names(dead)),
    )


def _names(rows: list[status.StatusRow]) -> list[str]:
    return list(dict.fromkeys(row.service for row in rows))
