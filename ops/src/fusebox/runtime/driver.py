"""What runs the instances of a shop: processes under a supervisor, or containers.

All verbs work on this interface, so that each has one way of being done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from fusebox.core.topology import Part

# SIGTERM has ten seconds by the contract; who needs longer is killed.
STOP_WAIT_SECONDS = 12
# A JVM without its class archive, on a busy machine.
STARTING_SECONDS = 60


@dataclass(frozen=True)
class State:
    """What the driver knows of one instance.

    `ended_by` is "killed" or "stopped" when it has ended on request, else empty; `host` is the name
    of a container among the others, and empty for a process.  `is_new` has run for less than
    `STARTING_SECONDS`.
    """

    instance: str
    state: str
    pid: int
    started: int
    reason: str
    is_paused: bool = False
    ended_by: str = ""
    host: str = ""
    is_new: bool = False

    @property
    def is_running(self) -> bool:
        return self.state in RUNNING


RUNNING = ("RUNNING", "STARTING")


class Driver(Protocol):
    """The instances of one stack, by their names."""

    def is_up(self) -> bool:
        """Whether there is a shop, however broken."""
        ...

    def states(self) -> dict[str, State]: ...

    def add(self, part: Part, number: int, more: Mapping[str, str] | None = None) -> None:
        """Make one more instance of `part` known; `start` starts it.

        `more` is what its environment tells it beside what all are told.
        """
        ...

    def start(self, instance: str) -> None:
        """Harmless when it runs."""
        ...

    def stop(self, instance: str) -> None:
        """Ask it to end; `states` shows when it has."""
        ...

    def kill(self, instance: str) -> None:
        """SIGKILL; it stays dead."""
        ...

    def remove(self, instance: str) -> None:
        """Forget what has ended."""
        ...

    def pause(self, instance: str) -> None:
        """Let it stand still until `resume`."""
        ...

    def resume(self, instance: str) -> bool:
        """Let go on what is paused; False when it was not."""
        ...

    def throttle(self, part: Part, milliseconds: int) -> None:
        """Halt the one instance of `part` for `milliseconds` again and again."""
        ...

    def release(self, part: Part) -> bool:
        """Take the throttle off; False when there was none."""
        ...

    def halt_of(self, states: Mapping[str, State], part: Part) -> int:
        """The milliseconds of the throttle; 0 when there is none."""
        ...

    def memory(self, states: Iterable[State]) -> dict[str, int]:
        """The bytes that each takes, by instance."""
        ...

    def tail(self, instance: str) -> str:
        """The end of its log, and where more of it is, for an error message."""
        ...
