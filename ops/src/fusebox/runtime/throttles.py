"""The throttle of a part that is not ours: a helper beside it that halts it again and again."""

from __future__ import annotations

from fusebox.core.errors import Fault
from fusebox.core.topology import Part
from fusebox.runtime.driver import Driver

# Long enough for an answer or a heartbeat, short enough that most answers meet a halt.
RUN_SECONDS = 0.05
# The broker's own session ends after two seconds, and a broker without one serves nobody.
LONGEST_HALT = {"kafka": 1_500}


def apply(driver: Driver, part: Part, milliseconds: int) -> None:
    longest = LONGEST_HALT.get(part.name, milliseconds)
    if milliseconds > longest:
        raise Fault(
            f"{part.name} cannot be made slower than {longest} ms: its session would end",
            remedy=f"give MS={longest} or less, or `make pause SERVICE={part.name}`.",
            exit_code=2,
        )
    driver.release(part)
    driver.throttle(part, milliseconds)
