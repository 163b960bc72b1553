"""Rates, shares and percentiles of the last ten seconds, from counters that only grow."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.model.windows import NO_FIGURES, STALE_SECONDS, CallCounts, CallWindow

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, math.inf)


def counts(times: list[float], errors: int = 0) -> CallCounts:
    durations = {bound: float(sum(time <= bound for time in times)) for bound in BOUNDS}
    return CallCounts(len(times), errors, durations)


def window(*samples: tuple[float, CallCounts]) -> CallWindow:
    window = CallWindow()
    for at, sample in samples:
        window.add(at, sample)
    return window


def test_one_sample_says_nothing() -> None:
    assert CallWindow().figures(0) == NO_FIGURES
    assert window((0, counts([0.1]))).figures(0) == NO_FIGURES


def test_figures_are_those_between_two_samples() -> None:
    before, after = [0.001] * 100, [0.001] * 100 + [0.02] * 19 + [0.2]

    figures = window((0, counts(before)), (5, counts(after, errors=2))).figures(5)

    assert figures.rate == 4.0
    assert figures.errors == 0.1
    assert figures.p99 is not None
    assert 0.1 < figures.p99 <= 0.25


def test_who_is_not_called_has_a_rate_and_nothing_else() -> None:
    figures = window((0, counts([1.0])), (5, counts([1.0]))).figures(5)

    assert (figures.rate, figures.errors, figures.p99) == (0.0, None, None)


def test_what_is_older_than_ten_seconds_does_not_count() -> None:
    samples = [(float(at), counts([0.1] * (100 if at else 0))) for at in range(0, 31, 2)]

    assert window(*samples).figures(30).rate == 0.0


def test_a_process_that_began_anew_does_not_count_backwards() -> None:
    restarted = window((0, counts([0.1] * 500)), (2, counts([0.1] * 3)))
    assert restarted.figures(2) == NO_FIGURES

    restarted.add(4, counts([0.1] * 7))
    assert restarted.figures(4).rate == 2.0


def test_figures_that_nobody_renews_are_none_any_more() -> None:
    old = window((0, counts([])), (2, counts([0.1])))

    assert old.figures(2 + STALE_SECONDS).rate is not None
    assert old.figures(3 + STALE_SECONDS) == NO_FIGURES


@given(st.lists(st.floats(0.0001, 9.9), min_size=1, max_size=200))
def test_the_percentile_lies_in_the_bucket_of_the_99th_of_hundred(times: list[float]) -> None:
    figures = window((0, counts([])), (5, counts(times))).figures(5)

    ranked = sorted(times)[math.ceil(0.99 * len(times)) - 1]
    upper = next(bound for bound in BOUNDS if ranked <= bound)
    lower = max((bound for bound in BOUNDS if bound < upper), default=0.0)
    assert figures.p99 is not None
    assert lower <= figures.p99 <= upper


def test_beyond_the_last_bound_the_percentile_is_that_bound() -> None:
    assert window((0, counts([])), (5, counts([60.0] * 5))).figures(5).p99 == 10.0


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(0, 1000)), max_size=400))
def test_a_window_does_not_grow(samples: list[tuple[float, int]]) -> None:
    long = CallWindow()
    for step, (_, calls) in enumerate(samples):
        long.add(float(step), CallCounts(calls))

    assert len(long._samples) <= 13


@pytest.mark.parametrize("rate", [0.0, 3.0])
def test_a_document_names_all_figures(rate: float) -> None:
    assert set(window((0, counts([]))).figures(0).document()) == {"rate", "errors", "p99"}
