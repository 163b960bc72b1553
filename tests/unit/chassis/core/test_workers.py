"""Background threads: how they stop, and what happens when one fails."""

import threading
import time
from typing import Any

from chassis.core.workers import Workers


def await_that(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not come true within ten seconds"
        time.sleep(0.005)


def test_workers_stop_in_reverse() -> None:
    stopped = []

    def until_stopped(name: str) -> Any:
        def run(stop: threading.Event) -> None:
            stop.wait()
            stopped.append(name)

        return run

    workers = Workers()
    workers.add("first", until_stopped("first"))
    workers.add("second", until_stopped("second"))
    workers.start()
    assert workers.names() == ["first", "second"]
    workers.stop()

    assert stopped == ["second", "first"]
    assert workers.names() == []


def test_a_worker_that_fails_once_is_started_again_and_nobody_is_alarmed() -> None:
    runs: list[int] = []
    at_work = threading.Event()

    def fails_first(stop: threading.Event) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise KeyError("input")
        at_work.set()
        stop.wait()

    workers = Workers(first_pause=0.01)
    workers.add("worker", fails_first)
    workers.start()

    assert at_work.wait(10)
    assert workers.failing() == {}
    workers.stop()


def test_a_worker_that_fails_of_the_same_again_and_again_pauses_longer_and_health_names_it() -> (
    None
):
    began: list[float] = []

    def broken(_stop: threading.Event) -> None:
        began.append(time.monotonic())
        raise ValueError("poison\nand more")

    workers = Workers(first_pause=0.02)
    workers.add("worker", broken)
    workers.add("ended", lambda _stop: None)
    workers.start()
    await_that(lambda: len(began) > 3)
    failing = workers.failing()
    workers.stop()

    assert failing["worker"].startswith("ValueError: poison, ")
    assert failing["worker"].endswith(" times in a row")
    assert failing["ended"].startswith("it has ended by itself, ")
    assert began[3] - began[2] > began[1] - began[0]


def test_workers_that_do_not_stop_hold_up_the_end_no_longer_than_agreed() -> None:
    let_go, ended = threading.Event(), []

    def stubborn(_stop: threading.Event) -> None:
        let_go.wait(30)
        ended.append("stubborn")

    def willing(stop: threading.Event) -> None:
        stop.wait()
        ended.append("willing")

    workers = Workers()
    for run in (stubborn, stubborn, willing):
        workers.add(run.__name__, run)
    workers.start()
    workers.stop(timeout=1)

    assert ended == ["willing"]
    let_go.set()
