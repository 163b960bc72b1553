"""Exponential back-off, with a clock and random numbers of the test's own."""

import threading

from chassis.core.backoff import Backoff


def pauses(backoff: Backoff, number: int) -> list[float]:
    return [backoff.next() for _ in range(number)]


def test_each_failure_doubles_the_pause_up_to_the_longest() -> None:
    assert pauses(Backoff(0.5, 3), 5) == [0.5, 1, 2, 3, 3]


def test_another_factor_grows_as_slowly_as_it_says() -> None:
    assert pauses(Backoff(1, 10, factor=1.5), 3) == [1, 1.5, 2.25]


def test_after_a_success_it_begins_with_the_first_pause_again() -> None:
    backoff = Backoff(0.5, 3)
    pauses(backoff, 4)

    backoff.reset()

    assert pauses(backoff, 2) == [0.5, 1]


def test_jitter_varies_a_pause_and_not_its_growth() -> None:
    bounds: list[tuple[float, float]] = []

    def lowest(low: float, high: float) -> float:
        bounds.append((low, high))
        return low

    assert pauses(Backoff(1, 8, jitter=0.2, draw=lowest), 3) == [0.8, 1.6, 3.2]
    assert bounds == [(0.8, 1.2)] * 3


def test_it_is_over_when_the_next_pause_would_end_too_late() -> None:
    now = [100.0]
    backoff = Backoff(1, 8, max_elapsed=5, clock=lambda: now[0])
    assert not backoff.is_over

    backoff.next()
    now[0] += 3
    assert not backoff.is_over
    now[0] += 0.1
    assert backoff.is_over

    backoff.reset()
    assert not backoff.is_over


def test_a_wait_ends_at_once_when_the_worker_is_to_stop() -> None:
    stop = threading.Event()
    stop.set()

    assert Backoff(60, 60).wait(stop)
    assert not Backoff(0.001, 60).wait(threading.Event())
