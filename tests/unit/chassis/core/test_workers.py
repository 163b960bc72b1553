"""Background threads: how they stop, and what happens when one dies."""

import threading
from typing import Any

from chassis.core.workers import Workers


def test_workers_stop_in_reverse_and_a_dead_one_is_noticed() -> None:
    died, stopped = [], []
    noticed = threading.Event()

    def until_stopped(name: str) -> Any:
        def run(stop: threading.Event) -> None:
            stop.wait()
            stopped.append(name)

        return run

    def on_death(name: str) -> None:
        died.append(name)
        noticed.set()

    workers = Workers(on_death=on_death)
    workers.add("first", until_stopped("first"))
    workers.add("second", until_stopped("second"))
    workers.add("short-lived", lambda _stop: None)
    workers.start()
    assert noticed.wait(5)
    workers.stop()

    assert died == ["short-lived"]
    assert stopped == ["second", "first"]


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
