"""`make verify`: what must hold between the stores."""

from __future__ import annotations

from fusebox.demo.context import DemoContext, DemoStep
from fusebox.demo.shop_actions import LAST_PIECE, TEAPOT
from fusebox.operations.verify.command import verify
from fusebox.operations.verify.invariants import Finding

SHOWN = 5


def run(context: DemoContext) -> None:
    for finding in verify(context.stack):
        context.console.check(f"{finding.name}.", finding.holds, evidence(finding))


def evidence(finding: Finding) -> str:
    """The figures, of the demo's products where there are many; or who breaks it."""
    if not finding.holds:
        return "; ".join(sorted(finding.offenders)[:SHOWN])
    own = (TEAPOT.product_id, LAST_PIECE.product_id)
    shown = {name: figure for name, figure in finding.figures.items() if name in own}
    others = len(finding.figures) - len(shown)
    figures = ", ".join(f"{name}: {figure}" for name, figure in (shown or finding.figures).items())
    return figures + (f", and {others} more products" if shown and others else "")


STEP = DemoStep(
    "make verify",
    "After all this the books must balance. `make verify` reads the databases of all services,"
    " which no service can do, and compares what they say of the same orders.",
    run,
)
