"""The steps of the demo in their order."""

from fusebox.demo.context import DemoStep
from fusebox.demo.steps import (
    last_piece,
    one_order,
    outage,
    proof,
    two_instances,
    without_kafka,
    wrong_messages,
)

STEPS: tuple[DemoStep, ...] = (
    one_order.STEP,
    outage.OUTAGE,
    outage.RECOVERY,
    two_instances.STEP,
    without_kafka.STEP,
    last_piece.STEP,
    wrong_messages.STEP,
    proof.STEP,
)
