"""What runs the instances says of them: who runs, who was killed, stopped, paused or throttled."""

from __future__ import annotations

from dataclasses import dataclass, field

from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS, is_instance, part_of
from fusebox.native.supervisor import Supervisor
from fusebox.runtime.driver import State
from panel.model.facts import ProcessFacts


@dataclass(frozen=True)
class Processes:
    """`throttles` are milliseconds, by the part that halts for so long."""

    instances: dict[str, ProcessFacts]
    throttles: dict[str, int] = field(default_factory=dict)


class ProcessReader:
    """Of a shop of plain processes; from inside a container nobody can be asked."""

    def __init__(self, stack: Stack) -> None:
        self._supervisor = Supervisor(stack)

    def read(self) -> Processes:
        """Raises OSError when the supervisor does not answer."""
        states = self._supervisor.states()
        halts = {
            part.name: self._supervisor.halt_of(states, part) for part in PARTS if not part.is_ours
        }
        throttles = {name: milliseconds for name, milliseconds in halts.items() if milliseconds}
        return Processes(
            {
                name: _facts(state, part_of(name).name in throttles)
                for name, state in states.items()
                if is_instance(name)
            },
            throttles,
        )


def _facts(state: State, is_throttled: bool) -> ProcessFacts:
    """What has a throttle stands still now and then, and is not paused."""
    return ProcessFacts(
        is_running=state.is_running,
        is_starting=state.is_new,
        is_paused=state.is_paused and not is_throttled,
        ended_by=state.ended_by,
        reason=state.reason,
    )
