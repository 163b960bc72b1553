"""Ending supervised processes and seeing that they have ended."""

from __future__ import annotations

from collections.abc import Sequence

from fusebox.programs import STOP_WAIT_SECONDS
from fusebox.supervision import Supervisor
from fusebox.waiting import wait_until

# What supervisord itself may need on top to notice that a process has ended.
NOTICE_SECONDS = 3


def stop(supervisor: Supervisor, instances: Sequence[str]) -> None:
    """SIGTERM for all, SIGKILL for who has not ended in time; returns when they have ended."""
    for instance in instances:
        supervisor.stop(instance)
    wait_until_dead(supervisor, instances, STOP_WAIT_SECONDS + NOTICE_SECONDS)


def withdraw(supervisor: Supervisor, instances: Sequence[str]) -> None:
    """Stop them, and have the supervisor forget them."""
    stop(supervisor, instances)
    for instance in instances:
        supervisor.remove(instance)


def wait_until_dead(supervisor: Supervisor, instances: Sequence[str], seconds: float) -> None:
    def are_dead() -> bool:
        states = supervisor.states()
        return not any(states[instance].pid for instance in instances)

    wait_until(are_dead, seconds, f"the end of {', '.join(instances)}")
