"""`make verify`: what must hold between the stores."""

from __future__ import annotations

from fusebox.demo.context import Scene, Step
from fusebox.demo.shop_actions import LAST_PIECE, TEAPOT
from fusebox.operations.verify.command import verify
from fusebox.operations.verify.invariants import Finding

SHOWN = 5


def play(scene: Scene) -> None:
    for finding in verify(scene.stack):
        scene.stage.hold(f"{finding.name}.", finding.holds, seen(finding))


def seen(finding: Finding) -> str:
    """The figures, of the tour's products where there are many; or who breaks it."""
    if not finding.holds:
        return "; ".join(sorted(finding.offenders)[:SHOWN])
    own = (TEAPOT.product_id, LAST_PIECE.product_id)
    shown = {name: each for name, each in finding.figures.items() if name in own}
    others = len(finding.figures) - len(shown)
    told = [f"{name}: {each}" for name, each in (shown or finding.figures).items()]
    return ", ".join(told) + (f", and {others} products more" if shown and others else "")


STEP = Step(
    "make verify",
    "After all this the books must balance. `make verify` reads the databases of the services,"
    " which no service can do, and compares what they say of the same orders.",
    play,
)
