"""The arithmetic of the benchmarks."""

import pytest
from bench.harness.figures import (
    LoadResult,
    Measurement,
    difference,
    percentile,
    without_idle,
)


@pytest.mark.parametrize(
    ("values", "percent", "expected"),
    [
        ([7.0], 50, 7.0),
        ([3.0, 1.0, 2.0], 50, 2.0),
        ([4.0, 3.0, 2.0, 1.0], 50, 2.0),
        ([float(value) for value in range(1, 101)], 99, 99.0),
        ([float(value) for value in range(1, 101)], 100, 100.0),
        ([1.0, 2.0], 0, 1.0),
    ],
)
def test_a_percentile_is_the_value_at_the_nearest_rank(
    values: list[float], percent: float, expected: float
) -> None:
    assert percentile(values, percent) == expected


def test_of_nothing_there_is_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_new_process_began_at_nothing_and_one_that_went_is_left_out() -> None:
    before = {"old": 5.0, "gone": 9.0}

    assert difference(before, {"old": 6.5, "new": 2.0}) == {"old": 1.5, "new": 2.0}


def test_a_restarted_process_has_used_nothing_rather_than_less() -> None:
    assert difference({"again": 5.0}, {"again": 1.0}) == {"again": 0.0}


def test_what_a_process_uses_at_rest_is_taken_out() -> None:
    used = {"gateway": 3.0, "kafka": 1.0}

    assert without_idle(used, {"kafka": 0.25}, elapsed=4.0) == {"gateway": 3.0, "kafka": 0.0}


def test_the_cost_of_a_request_is_shared_out_over_the_processes() -> None:
    load = LoadResult(latencies=[0.1, 0.1, 0.1, 0.1], failures=0, took=2.0, own_cpu=0.5)
    measured = Measurement("orders", load, {"gateway": 1.0, "kafka": 3.0})

    assert load.rate == 2.0
    assert measured.cpu_per_request == 1.0
    assert measured.of("kafka") == 0.75
    assert measured.share("kafka") == 0.75
    assert measured.of("postgres") == measured.share("postgres") == 0.0


def test_a_load_without_answers_divides_by_nothing() -> None:
    measured = Measurement("orders", LoadResult([], failures=3, took=0.0, own_cpu=0.0), {})

    assert (measured.load.rate, measured.cpu_per_request, measured.share("kafka")) == (0, 0, 0)
