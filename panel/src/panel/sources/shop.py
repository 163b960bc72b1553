"""The parts of this shop, as the topology declares them."""

from __future__ import annotations

from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS, Part
from panel.model.facts import PartFacts

PATHS = {"zipkin": "/zipkin/"}
WITHOUT_A_PAGE = ("postgres", "kafka")


def parts(stack: Stack) -> tuple[PartFacts, ...]:
    return tuple(PartFacts(part.name, _kind(part), _addresses(stack, part)) for part in PARTS)


def _kind(part: Part) -> str:
    return "service" if part.kind == "service" else part.name


def _addresses(stack: Stack, part: Part) -> tuple[tuple[str, str], ...]:
    """What a person may open in a browser."""
    if part.port is None or part.name in WITHOUT_A_PAGE:
        return ()
    if stack.mode != "native" and not part.published:
        return ()
    return (("page", f"http://127.0.0.1:{stack.port(part.name)}{PATHS.get(part.name, '/')}"),)
