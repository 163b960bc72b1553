"""docs/faults.md: every cell is observed, and the page says what was promised and seen."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fusebox.operations import settings

from ...running import RunningShop
from .. import fault_injection, outcomes
from ..outcomes import Seen
from . import markdown_page
from .client_calls import TIMES, USUAL, Visitors
from .expectations import (
    FAULTS,
    HALTED,
    LATE,
    REPAIRED_SECONDS,
    Cell,
    Fault,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "faults.md"
# Set by `make faults`.
WRITES = "FUSEBOX_WRITE_FAULTS"
TWICE = dict.fromkeys(USUAL, 2)
# How long a breaker stays open: as shipped, and where the page is only held against the shop.
SHIPPED_OPEN_SECONDS = 10
OPEN_SECONDS = SHIPPED_OPEN_SECONDS if WRITES in os.environ else 3
OPEN_KEY = "fusebox.breaker.reset-timeout-seconds"
BACK_SECONDS = REPAIRED_SECONDS - SHIPPED_OPEN_SECONDS + OPEN_SECONDS
# Beside other work the fastest of a crowd is late, too, though not by the time-out of a neighbour.
NOISE_SECONDS = 0.8
# What is late or refused once may be the fault of a machine that is too busy.
TRIES = 3
PATIENCE = 15
GATEWAY_PATIENCE = 3
OURS = ("gateway", "discovery", "config-server", "user-service", "order-service", "catalog-service")
# Nobody depends on these: what all of them together do not change, none of them changes.
HELPERS = ("discovery", "config-server", "zipkin")

Broken = tuple[Fault, ...]
Sights = dict[str, list[Seen]]

_held: set[str] = set()


def _at_a_time() -> list[Broken]:
    """One fault after another, but those of the helpers, by their state, all at once."""
    of_helpers = [fault for fault in FAULTS if fault.part in HELPERS]
    states = dict.fromkeys(fault.state for fault in of_helpers)
    together = [tuple(fault for fault in of_helpers if fault.state == each) for each in states]
    return [*((fault,) for fault in FAULTS if fault not in of_helpers), *together]


def _named(broken: Broken) -> str:
    return ", ".join(fault.name for fault in broken)


@pytest.fixture(scope="module", autouse=True)
def _impatient_breakers(shop: Any) -> Iterator[None]:
    settings.set_key(shop.stack, OPEN_KEY, str(OPEN_SECONDS), None)
    yield
    settings.set_key(shop.stack, OPEN_KEY, None, None)


@pytest.mark.parametrize("broken", _at_a_time(), ids=_named)
def test_a_fault_is_seen_as_promised_and_leaves_nothing_behind(shop: Any, broken: Broken) -> None:
    for _ in range(TRIES):
        first, then, left = _observe(shop, broken)
        assert not left, f"{BACK_SECONDS} s after {_named(broken)} was repaired: {left}"
        cells = [
            (f"{call}, {when}", getattr(fault.promise(call), when), seen[call])
            for fault in broken
            for when, seen in (("first", first), ("then", then))
            for call in USUAL
        ]
        strange = [_told(*each) for each in cells if not _is_of_the_contract(each[2])]
        assert not strange, "\n".join([_named(broken), *strange])
        wrong = [_told(*each) for each in cells if not _is_kept(*each[1:])]
        if not wrong:
            break
    assert not wrong, "\n".join([_named(broken), *wrong])
    _held.update(fault.name for fault in broken)


def test_the_page_says_what_was_promised_and_seen() -> None:
    rendered = markdown_page.page()

    if os.environ.get(WRITES):
        assert _held == {fault.name for fault in FAULTS}, "a promise was not kept, or not tried"
        PAGE.write_text(rendered)
    assert PAGE.read_text() == rendered, "the promises have changed: write the page, `make faults`"


def _observe(shop: Any, broken: Broken) -> tuple[Sights, Sights, list[str]]:
    """What is seen at first and then, and what is not as usual again in time after the repair."""
    visitors = Visitors.come_in(shop)
    visitors.patience = GATEWAY_PATIENCE if broken[0].part == "gateway" else PATIENCE
    for fault in broken:
        _break(shop, fault)
    try:
        first, then = visitors.call_at_once(TIMES), visitors.call_at_once(TWICE)
    finally:
        fault_injection.heal(shop, broken[0].part if len(broken) == 1 else None)
    visitors.patience = PATIENCE
    return first, then, _left_behind(visitors)


def _break(shop: Any, fault: Fault) -> None:
    match fault.state:
        case "killed":
            fault_injection.kill(shop, fault.part)
        case "paused":
            fault_injection.pause(shop, fault.part)
        case "slow":
            fault_injection.slow(shop, fault.part, LATE if fault.part in OURS else HALTED)


def _left_behind(visitors: Visitors) -> list[str]:
    """The calls that are not as usual and the orders that are not decided when the time is over."""
    calls = [call for call in USUAL if call != "cancel"]
    undecided = list(visitors.accepted)

    def is_repaired() -> bool:
        asked = visitors.call_at_once(dict.fromkeys(calls, 1)) if calls else {}
        for call, seen in asked.items():
            if seen[0].outcome == USUAL[call]:
                calls.remove(call)
        undecided[:] = [each for each in undecided if not visitors.are_decided([each])]
        return not calls and not undecided

    with suppress(AssertionError):
        RunningShop.until(is_repaired, BACK_SECONDS)
    cancelled = visitors.call_at_once({"cancel": 1})["cancel"][0]
    return [*calls, *undecided, *([] if cancelled.outcome == USUAL["cancel"] else ["cancel"])]


def _is_kept(cell: Cell, seen: Sequence[Seen]) -> bool:
    fastest = min(one.seconds for one in seen)
    in_time = fastest < cell.speed.seconds + NOISE_SECONDS
    return in_time and all(one.outcome in cell.outcomes for one in seen)


def _is_of_the_contract(seen: Sequence[Seen]) -> bool:
    errors = {one.outcome for one in seen if one.answer is not None and not one.answer.ok}
    return errors <= outcomes.REFUSED and not any(_complaints(one) for one in seen)


def _complaints(seen: Seen) -> list[str]:
    return [] if seen.answer is None else outcomes.complaints(seen.answer)


def _told(cell_name: str, cell: Cell, seen: Sequence[Seen]) -> str:
    told = (f"{one.outcome} ({one.seconds:.1f} s) {_complaints(one) or ''}" for one in seen)
    return f"{cell_name}: promised {cell.outcomes} {cell.speed.words}, seen {'; '.join(told)}"
