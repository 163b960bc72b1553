"""What is counted, and the line and the summary made of it."""

from fusebox.traffic.tally import RequestOutcome, Tally, percentile


class SettableClock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_line_has_the_counts_and_the_p95_of_the_last_ten_seconds() -> None:
    clock = SettableClock()
    tally = Tally(clock)
    assert tally.line() == "0 s  ok 0  degraded 0  failed 0  p95 -"

    tally.add(RequestOutcome(5000, failure="504 timed-out"))
    clock.now += 11
    for _ in range(19):
        tally.add(RequestOutcome(20))
    tally.add(RequestOutcome(90, degraded=True))

    assert tally.line() == "11 s  ok 19  degraded 1  failed 1  p95 20 ms"


def test_the_summary_names_every_failure_and_how_often() -> None:
    clock = SettableClock()
    tally = Tally(clock)
    for code in ("503 circuit-open", "no-answer", "503 circuit-open"):
        tally.add(RequestOutcome(10, failure=code))
    tally.add(RequestOutcome(30))
    clock.now += 2

    assert tally.summary().splitlines() == [
        "4 requests in 2 s, 2.0 a second: ok 1  degraded 0  failed 3  p50 10 ms  p95 30 ms",
        "       2  503 circuit-open",
        "       1  no-answer",
    ]


def test_a_percentile_is_the_nearest_rank() -> None:
    assert percentile([], 95) is None
    assert percentile([7.0], 95) == 7.0
    assert percentile([float(n) for n in range(1, 101)], 95) == 95.0
