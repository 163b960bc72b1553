"""The brake of a part that is not ours: a helper beside it that halts it again and again."""

from __future__ import annotations

from collections.abc import Mapping

from fusebox import families
from fusebox.ending import withdraw
from fusebox.errors import Fault
from fusebox.parts import Part
from fusebox.programs import brake_name, brake_program
from fusebox.supervision import State, Supervisor

# The broker's own session ends after two seconds, and a broker without one serves nobody.
LONGEST_HALT = {"kafka": 1_500}


def halt_of(states: Mapping[str, State], part: Part) -> int:
    """How many milliseconds the brake halts `part` for; 0 when there is no brake."""
    state = states.get(brake_name(part))
    if state is None or not state.is_running:
        return 0
    argument = families.last_argument(state.pid)
    return int(argument) if argument.isdigit() else 0


def apply(supervisor: Supervisor, part: Part, milliseconds: int) -> None:
    longest = LONGEST_HALT.get(part.name, milliseconds)
    if milliseconds > longest:
        raise Fault(
            f"{part.name} cannot be made slower than {longest} ms: its session would end",
            remedy=f"give MS={longest} or less, or `make pause SERVICE={part.name}`.",
            exit_code=2,
        )
    release(supervisor, part)
    pid = supervisor.states()[part.instance()].pid
    supervisor.add(brake_program(part, pid, milliseconds))
    supervisor.start(brake_name(part))


def release(supervisor: Supervisor, part: Part) -> bool:
    """Let `part` run freely; False when it did."""
    name = brake_name(part)
    state = supervisor.states().get(name)
    if state is None:
        return False
    withdraw(supervisor, [name])
    return state.is_running
