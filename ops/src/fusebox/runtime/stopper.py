"""Ending instances and seeing that they have ended."""

from __future__ import annotations

from collections.abc import Sequence

from fusebox.core import progress
from fusebox.core.wait import wait_until
from fusebox.runtime.driver import STOP_WAIT_SECONDS, Driver

# What supervisord itself may need on top to notice that a process has ended.
NOTICE_SECONDS = 3


def stop(driver: Driver, instances: Sequence[str]) -> None:
    """SIGTERM for all, SIGKILL for who has not ended in time; returns when they have ended."""
    with progress.step(f"stop {', '.join(instances)}"):
        for instance in instances:
            driver.stop(instance)
        wait_until_dead(driver, instances, STOP_WAIT_SECONDS + NOTICE_SECONDS)


def withdraw(driver: Driver, instances: Sequence[str]) -> None:
    """Stop them, and have the driver forget them."""
    stop(driver, instances)
    for instance in instances:
        driver.remove(instance)


def wait_until_dead(driver: Driver, instances: Sequence[str], seconds: float) -> None:
    def are_dead() -> bool:
        states = driver.states()
        return not any(states[instance].pid for instance in instances)

    wait_until(are_dead, seconds, f"the end of {', '.join(instances)}")
