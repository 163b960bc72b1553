"""The tour itself: step after step until an assertion fails; what it broke is always undone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import requests

from fusebox.core.errors import Fault
from fusebox.core.files import locked
from fusebox.core.stack import Stack
from fusebox.demo.console import DemoConsole
from fusebox.demo.context import DemoContext, DemoStep
from fusebox.demo.steps import STEPS
from fusebox.operations import status
from fusebox.operations.drivers import running_driver
from fusebox.operations.status import StatusRow

FORCED = ("FORCED_OPEN", "DISABLED")


def demo(stack: Stack, number: int | None, console: DemoConsole) -> None:
    """Run all steps, or step `number`; raises FailedAssertion at the first one that fails."""
    running_driver(stack)
    with locked(stack.run / "demo.lock", wait=False) as mine:
        if not mine:
            raise Fault("another `make demo` is under way", remedy="wait for its end.")
        refuse_broken(status.read(stack).rows)
        context = DemoContext.of(stack, console)
        numbers = range(1, len(STEPS) + 1) if number is None else [number]
        run_steps(context, STEPS, numbers)


def refuse_broken(rows: Sequence[StatusRow]) -> None:
    """A tour through a shop that is broken already would prove nothing."""
    problems = [problem for row in rows for problem in _problems(row)]
    if problems:
        raise Fault(
            "the shop is not in order, and the tour begins with one that is",
            where="\n".join(f"  {problem}" for problem in problems),
            remedy="`make heal` undoes what was broken on purpose; `make doctor` looks further.",
        )


def _problems(row: StatusRow) -> list[str]:
    forced = [f"breaker {name} {state}" for name, state in row.breakers.items() if state in FORCED]
    reasons = [*row.faults, *forced]
    if not (row.healthy or row.is_starting or reasons):
        reasons = [row.reason or row.state.lower()]
    return [f"{row.instance}: {reason}" for reason in reasons]


def run_steps(context: DemoContext, steps: Sequence[DemoStep], numbers: Sequence[int]) -> None:
    """Run the steps with these numbers; whatever happens, nothing stays broken."""
    began = time.monotonic()
    with _undone_at_the_end(context):
        for place, number in enumerate(numbers):
            step = steps[number - 1]
            context.console.begin_step(number, len(steps), step.title, step.why)
            if place:
                context.console.pause()
            _run(context, step, number)
            if not (number + 1 in numbers and steps[number].continues):
                _undo(context)
    seconds = time.monotonic() - began
    context.console.note(
        f"All {context.console.passed} assertions hold; the tour took {seconds:.0f} s."
    )


def _run(context: DemoContext, step: DemoStep, number: int) -> None:
    try:
        step.run(context)
    except requests.RequestException as error:
        raise Fault(
            f"the gateway gave no proper answer in step {number}: {error}",
            remedy="see `make status` and `make logs SERVICE=gateway`.",
        ) from error


@contextmanager
def _undone_at_the_end(context: DemoContext) -> Iterator[None]:
    try:
        yield
    finally:
        _undo(context)


def _undo(context: DemoContext) -> None:
    context.outage = None
    if not context.faults.is_undone:
        context.faults.undo(partial(context.console.event, "undo"))
