"""docs/faults.md: every cell is observed, and the page says what was promised and observed."""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from fusebox.operations.configuration import settings

from ...running import RunningShop
from .. import fault_injection, outcomes
from ..outcomes import ObservedAnswer
from . import markdown_page
from .client_calls import TIMES, USUAL, ContractClient
from .expectations import (
    FAULTS,
    HALTED,
    LATE,
    REPAIRED_SECONDS,
    Cell,
    FaultExpectation,
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
# Beside other work the fastest of a crowd is late, too, though not by the time-out of a called
# service.
NOISE_SECONDS = 0.8
# What is late or refused once may be the fault of a machine that is too busy.
TRIES = 3
PATIENCE = 15
GATEWAY_PATIENCE = 3
OURS = ("gateway", "discovery", "config-server", "user-service", "order-service", "catalog-service")
# Nobody depends on these: what all of them together do not change, none of them changes.
HELPERS = ("discovery", "config-server", "zipkin")

Broken = tuple[FaultExpectation, ...]
Observations = dict[str, list[ObservedAnswer]]

_confirmed: set[str] = set()


def _at_a_time() -> list[Broken]:
    """One fault after another, but those of the helpers, by their state, all at once."""
    of_helpers = [fault for fault in FAULTS if fault.part in HELPERS]
    states = dict.fromkeys(fault.state for fault in of_helpers)
    together = [tuple(fault for fault in of_helpers if fault.state == state) for state in states]
    return [*((fault,) for fault in FAULTS if fault not in of_helpers), *together]


def _named(broken: Broken) -> str:
    return ", ".join(fault.name for fault in broken)


@pytest.fixture(scope="module", autouse=True)
def _breakers_that_close_soon(shop: Any) -> Iterator[None]:
    settings.set_key(shop.stack, OPEN_KEY, str(OPEN_SECONDS), None)
    yield
    settings.set_key(shop.stack, OPEN_KEY, None, None)


@pytest.mark.parametrize("broken", _at_a_time(), ids=_named)
def test_clients_observe_what_is_promised_for_a_fault_and_all_is_well_after_the_repair(
    shop: Any, broken: Broken
) -> None:
    for _ in range(TRIES):
        first, then, unrepaired = _observe(shop, broken)
        assert not unrepaired, f"{BACK_SECONDS} s after {_named(broken)} was repaired: {unrepaired}"
        cells = [
            (f"{call}, {when}", getattr(fault.promise(call), when), observed[call])
            for fault in broken
            for when, observed in (("first", first), ("then", then))
            for call in USUAL
        ]
        strange = [_described(*cell) for cell in cells if not _is_of_the_contract(cell[2])]
        assert not strange, "\n".join([_named(broken), *strange])
        wrong = [_described(*cell) for cell in cells if not _is_kept(*cell[1:])]
        if not wrong:
            break
    assert not wrong, "\n".join([_named(broken), *wrong])
    _confirmed.update(fault.name for fault in broken)


def test_the_page_of_faults_states_what_was_promised_and_observed() -> None:
    rendered = markdown_page.page()

    if os.environ.get(WRITES):
        assert _confirmed == {fault.name for fault in FAULTS}, (
            "a promise was not kept, or not tried"
        )
        PAGE.write_text(rendered)
    assert PAGE.read_text() == rendered, "the promises have changed: write the page, `make faults`"


def _observe(shop: Any, broken: Broken) -> tuple[Observations, Observations, list[str]]:
    """The answers at first and then, and what is not as usual again in time after the repair."""
    client = ContractClient.register(shop)
    client.patience = GATEWAY_PATIENCE if broken[0].part == "gateway" else PATIENCE
    for fault in broken:
        _break(shop, fault)
    try:
        first, then = client.call_at_once(TIMES), client.call_at_once(TWICE)
    finally:
        fault_injection.heal(shop, broken[0].part if len(broken) == 1 else None)
    client.patience = PATIENCE
    return first, then, _unrepaired(client)


def _break(shop: Any, fault: FaultExpectation) -> None:
    match fault.state:
        case "killed":
            fault_injection.kill(shop, fault.part)
        case "paused":
            fault_injection.pause(shop, fault.part)
        case "slow":
            fault_injection.slow(shop, fault.part, LATE if fault.part in OURS else HALTED)


def _unrepaired(client: ContractClient) -> list[str]:
    """The calls that are not as usual and the orders that are not decided when the time is over."""
    calls = [call for call in USUAL if call != "cancel"]
    undecided = list(client.accepted)

    def is_repaired() -> bool:
        answers = client.call_at_once(dict.fromkeys(calls, 1)) if calls else {}
        for call, observed in answers.items():
            if observed[0].outcome == USUAL[call]:
                calls.remove(call)
        undecided[:] = [order_id for order_id in undecided if not client.are_decided([order_id])]
        return not calls and not undecided

    with suppress(AssertionError):
        RunningShop.until(is_repaired, BACK_SECONDS)
    cancelled = client.call_at_once({"cancel": 1})["cancel"][0]
    return [*calls, *undecided, *([] if cancelled.outcome == USUAL["cancel"] else ["cancel"])]


def _is_kept(cell: Cell, observed: Sequence[ObservedAnswer]) -> bool:
    fastest = min(one.seconds for one in observed)
    in_time = fastest < cell.speed.seconds + NOISE_SECONDS
    return in_time and all(one.outcome in cell.outcomes for one in observed)


def _is_of_the_contract(observed: Sequence[ObservedAnswer]) -> bool:
    errors = {one.outcome for one in observed if one.answer is not None and not one.answer.ok}
    return errors <= outcomes.REFUSED and not any(_complaints(one) for one in observed)


def _complaints(observed: ObservedAnswer) -> list[str]:
    return [] if observed.answer is None else outcomes.complaints(observed.answer)


def _described(cell_name: str, cell: Cell, observed: Sequence[ObservedAnswer]) -> str:
    answers = (f"{one.outcome} ({one.seconds:.1f} s) {_complaints(one) or ''}" for one in observed)
    return f"{cell_name}: promised {cell.outcomes} {cell.speed.words}, got {'; '.join(answers)}"
