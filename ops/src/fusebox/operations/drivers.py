"""Which driver a stack has."""

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.docker.containers import Containers
from fusebox.native.supervisor import Supervisor
from fusebox.runtime.driver import Driver


def driver_of(stack: Stack) -> Driver:
    if stack.mode == "docker":
        return Containers(stack)
    return Supervisor(stack)


def running_driver(stack: Stack) -> Driver:
    """The driver of a shop that is up; raises Fault when it is not."""
    driver = driver_of(stack)
    if not driver.is_up():
        mode = " MODE=docker" if stack.mode == "docker" else ""
        raise Fault("the shop is not running", remedy=f"`make up{mode}` starts the shop.")
    return driver


def refuse_down(stack: Stack) -> None:
    """For what asks the parts themselves: of a shop that is down none would answer.

    Who works inside a container has no driver, and finds out by asking.
    """
    if stack.mode != "inside":
        running_driver(stack)
