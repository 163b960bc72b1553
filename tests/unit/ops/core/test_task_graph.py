"""Steps run side by side in their order, and end together."""

import threading

import pytest

from fusebox.core.errors import Fault
from fusebox.core.task_graph import Step, run_steps
from fusebox.core.wait import Cancelled, wait_until


class RecordedOutcomes:
    """Remembers what was told."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def started(self, name: str) -> None:
        self.events.append(f"{name} started")

    def finished(self, name: str, seconds: float) -> None:
        assert seconds >= 0
        self.events.append(f"{name} finished")


def watch_nothing() -> None:
    """Nothing dies meanwhile."""


def test_a_step_begins_when_those_before_it_are_done() -> None:
    record = RecordedOutcomes()
    steps = [Step("order", lambda: None, ("schema",)), Step("schema", lambda: None)]

    run_steps(steps, record, watch_nothing, threading.Event())

    assert record.events == [
        "schema started", "schema finished", "order started", "order finished"
    ]  # fmt: skip


def test_steps_that_do_not_need_one_another_run_side_by_side() -> None:
    meeting = threading.Barrier(2, timeout=10)
    steps = [Step("kafka", lambda: _meet(meeting)), Step("zipkin", lambda: _meet(meeting))]

    run_steps(steps, RecordedOutcomes(), watch_nothing, threading.Event())

    assert not meeting.broken


def _meet(barrier: threading.Barrier) -> None:
    barrier.wait()


def test_the_first_failure_ends_the_waits_of_the_others() -> None:
    cancelled, ended = threading.Event(), threading.Event()

    def wait_for_ever() -> None:
        try:
            wait_until(lambda: False, 60, "never", cancelled)
        except Cancelled:
            ended.set()

    def fail() -> None:
        raise Fault("kafka did not start")

    with pytest.raises(Fault, match="kafka did not start"):
        run_steps(
            [Step("slow", wait_for_ever), Step("kafka", fail)],
            RecordedOutcomes(),
            watch_nothing,
            cancelled,
        )

    assert ended.wait(10)


def test_a_part_that_dies_while_others_start_ends_them_too() -> None:
    cancelled = threading.Event()

    def watch() -> None:
        raise Fault("postgres-1 did not start")

    with pytest.raises(Fault, match="postgres-1"):
        run_steps([Step("slow", lambda: _until(cancelled))], RecordedOutcomes(), watch, cancelled)

    assert cancelled.is_set()


def _until(event: threading.Event) -> None:
    event.wait(10)


def test_a_wait_ends_with_the_name_of_what_did_not_come() -> None:
    with pytest.raises(Fault, match="zipkin did not answer within 0 s"):
        wait_until(lambda: False, 0, "zipkin")
