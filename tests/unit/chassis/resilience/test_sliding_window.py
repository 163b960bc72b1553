"""What a sliding window says of the calls in it, against a list of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.config.breaker_settings import BreakerSettings
from chassis.resilience.call_rates import Verdict, assess
from chassis.resilience.sliding_window import (
    FAILED,
    SLOW,
    SUCCEEDED,
    SUSPECTED,
    CountBasedWindow,
    TimeBasedWindow,
    WindowFigures,
)

OUTCOMES = st.sampled_from([SUCCEEDED, FAILED, SUSPECTED, SLOW, FAILED | SLOW])
FORGIVE = None


def figures_of(outcomes: list[int]) -> WindowFigures:
    return WindowFigures(
        calls=len(outcomes),
        failed=sum(bool(outcome & FAILED) for outcome in outcomes),
        suspected=outcomes.count(SUSPECTED),
        slow=sum(bool(outcome & SLOW) for outcome in outcomes),
        slow_failed=outcomes.count(FAILED | SLOW),
    )


@given(st.integers(1, 7), st.lists(st.one_of(st.just(FORGIVE), OUTCOMES), max_size=60))
def test_a_window_by_count_holds_the_last_calls_that_were_not_forgiven(
    size: int, steps: list[int | None]
) -> None:
    window, expected = CountBasedWindow(size), list[int]()

    for step in steps:
        if step is None:
            window.forgive()
            expected = [outcome for outcome in expected if outcome != SUSPECTED]
        else:
            window.add(step, 0.0)
            expected = [*expected, step][-size:]
        assert window.figures(0.0) == figures_of(expected)
        assert window.has_faults == any(expected)


@given(
    st.integers(1, 5),
    st.lists(st.tuples(st.floats(0, 3), st.one_of(st.just(FORGIVE), OUTCOMES)), max_size=60),
)
def test_a_window_by_time_holds_the_calls_of_the_last_seconds(
    size: int, steps: list[tuple[float, int | None]]
) -> None:
    window, expected, now = TimeBasedWindow(size), list[tuple[int, int]](), 100.0

    for pause, step in steps:
        now += pause
        if step is None:
            window.forgive()
            expected = [call for call in expected if call[1] != SUSPECTED]
        else:
            window.add(step, now)
            expected.append((int(now), step))
        expected = [call for call in expected if call[0] > int(now) - size]
        figures = window.figures(now)
        assert figures == figures_of([outcome for _, outcome in expected])
        assert window.has_faults == any(outcome for _, outcome in expected)


@pytest.mark.parametrize(
    ("figures", "verdict"),
    [
        (WindowFigures(), Verdict.WELL),
        (WindowFigures(calls=9, failed=9), Verdict.WELL),
        (WindowFigures(calls=10, failed=4), Verdict.WELL),
        (WindowFigures(calls=10, failed=5), Verdict.BROKEN),
        (WindowFigures(calls=10, slow=8), Verdict.BROKEN),
        (WindowFigures(calls=10, suspected=5), Verdict.DOUBTFUL),
        (WindowFigures(calls=12, failed=4, suspected=2), Verdict.DOUBTFUL),
        (WindowFigures(calls=12, failed=5, suspected=2), Verdict.BROKEN),
    ],
)
def test_a_threshold_counts_from_the_least_number_of_calls_on(
    figures: WindowFigures, verdict: Verdict
) -> None:
    settings = BreakerSettings(failure_rate_threshold=50, slow_call_rate_threshold=80)

    assert assess(figures, settings, least=10) is verdict
