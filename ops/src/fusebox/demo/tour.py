"""The tour itself: step after step until a promise is broken, and mended in any case."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import requests

from fusebox.core.errors import Fault
from fusebox.core.files import locked
from fusebox.core.stack import Stack
from fusebox.demo.console import stage_for
from fusebox.demo.context import Scene, Step
from fusebox.demo.steps import STEPS
from fusebox.operations import status
from fusebox.operations.status import Row
from fusebox.runtime.drivers import running_driver

FORCED = ("FORCED_OPEN", "DISABLED")


def demo(stack: Stack, number: int | None, pace: str) -> None:
    """Lead through all steps, or step `number`; raises BrokenPromise at the first one broken."""
    running_driver(stack)
    with locked(stack.run / "demo.lock", wait=False) as mine:
        if not mine:
            raise Fault("another `make demo` is under way", remedy="wait for its end.")
        refuse_broken(status.read(stack).rows)
        scene = Scene.of(stack, stage_for(pace))
        chosen = range(1, len(STEPS) + 1) if number is None else [number]
        lead(scene, STEPS, chosen)


def refuse_broken(rows: Sequence[Row]) -> None:
    """A tour through a shop that is broken already would prove nothing."""
    troubles = [trouble for row in rows for trouble in _troubles(row)]
    if troubles:
        raise Fault(
            "the shop is not in order, and the tour begins with one that is",
            where="\n".join(f"  {each}" for each in troubles),
            remedy="`make heal` undoes what was broken on purpose; `make doctor` looks further.",
        )


def _troubles(row: Row) -> list[str]:
    forced = [f"breaker {name} {state}" for name, state in row.breakers.items() if state in FORCED]
    told = [*row.faults, *forced]
    if not row.healthy and not told:
        told = [row.reason or row.state.lower()]
    return [f"{row.instance}: {each}" for each in told]


def lead(scene: Scene, steps: Sequence[Step], numbers: Sequence[int]) -> None:
    """Play the steps with these numbers; whatever happens, nothing stays broken."""
    began = time.monotonic()
    with _mended(scene):
        for place, number in enumerate(numbers):
            step = steps[number - 1]
            scene.stage.open(number, len(steps), step.title, step.why)
            if place:
                scene.stage.pause()
            _play(scene, step, number)
            if not (number + 1 in numbers and steps[number].continues):
                _mend(scene)
    seconds = time.monotonic() - began
    scene.stage.say(f"All {scene.stage.kept} promises were kept; the tour took {seconds:.0f} s.")


def _play(scene: Scene, step: Step, number: int) -> None:
    try:
        step.play(scene)
    except requests.RequestException as error:
        raise Fault(
            f"the gateway gave no proper answer in step {number}: {error}",
            remedy="see `make status` and `make logs SERVICE=gateway`.",
        ) from error


@contextmanager
def _mended(scene: Scene) -> Iterator[None]:
    try:
        yield
    finally:
        _mend(scene)


def _mend(scene: Scene) -> None:
    scene.outage = None
    if not scene.breakage.is_whole:
        scene.breakage.mend(partial(scene.stage.tell, "mend"))
