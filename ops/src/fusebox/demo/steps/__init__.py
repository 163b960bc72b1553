"""The steps of the tour in their order."""

from fusebox.demo.context import Step
from fusebox.demo.steps import (
    last_piece,
    one_order,
    outage,
    proof,
    two_instances,
    without_kafka,
    wrong_messages,
)

STEPS: tuple[Step, ...] = (
    one_order.STEP,
    outage.KILLED,
    outage.BACK,
    two_instances.STEP,
    without_kafka.STEP,
    last_piece.STEP,
    wrong_messages.STEP,
    proof.STEP,
)
