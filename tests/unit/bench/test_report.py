"""The page of figures."""

from dataclasses import replace
from datetime import date

from bench.harness.figures import Figures, LoadResult, Measurement
from bench.harness.machine import Machine, cpu_model
from bench.harness.report import (
    FRESH,
    HISTORY,
    megabytes,
    milliseconds,
    page,
    table,
)

MACHINE = Machine("Acme 3000", 2, 8 * 2**30, "Linux 6.1", "3.13.1", date(2026, 11, 21), 0.4)
LOAD = LoadResult(latencies=[0.004, 0.008, 0.016], failures=1, took=1.5, own_cpu=0.3)
FIGURES = Figures(
    first_up=20.0,
    second_up=8.25,
    memory_at_rest={"gateway": 40e6, "kafka": 300e6},
    memory_after_load={"gateway": 50e6, "kafka": 350e6},
    loads=[
        Measurement("GET /catalogs", LOAD, {"gateway": 0.003, "kafka": 0.0}),
        Measurement("a placed order", LOAD, {"gateway": 0.003, "kafka": 0.006}, 0.5, 50e-6),
    ],
    verdict="All hold.",
    idle={"kafka": 0.012},
    unit=48e-6,
)


def shown(figures: Figures, earlier: str = "") -> str:
    return page(MACHINE, figures, connections=16, warm_up=5.0, earlier=earlier)


def test_short_times_have_more_places_than_long_ones() -> None:
    assert milliseconds(0.001234) == "1.23 ms"
    assert milliseconds(0.01234) == "12.3 ms"
    assert megabytes(123_456_789) == "123 MB"


def test_a_table_has_names_on_the_left_and_numbers_on_the_right() -> None:
    assert table(("a", "b"), [("x", "1")]) == ["| a | b |", "| --- | ---: |", "| x | 1 |"]


def test_the_page_names_the_machine_and_the_day() -> None:
    line = (
        "2026-11-21, Acme 3000, 2 cores, 8 GiB, Linux 6.1, Python 3.13.1, load average before 0.4"
    )

    assert line in shown(FIGURES)


def test_the_page_has_every_figure() -> None:
    text = shown(FIGURES)

    assert "| second `make up` to first confirmed order | 8.2 s | 2026-11-21 |" in text
    assert (
        "| a placed order | 2 | 8.00 ms | 16.0 ms | 3,000 µs, 60.0 N | 3 | 1 | 20% of a core |"
        in text
    )
    assert "All were decided 0.5 s after the last answer (a placed order)." in text
    assert "| kafka | 300 MB | 350 MB | 12.0 ms | 0.00 ms (0%) | 2.00 ms (67%) |" in text
    assert "| **all** | 340 MB | 400 MB | 12.0 ms | 1.00 ms | 3.00 ms |" in text
    assert text.index("| kafka") < text.index("| gateway"), "the dearest comes first"


def test_the_figure_of_a_fresh_clone_stays_until_there_is_a_new_one() -> None:
    old = shown(replace(FIGURES, fresh=80.0))

    assert f"{FRESH} 80.0 s | 2026-11-21 |" in shown(FIGURES, earlier=old)
    assert f"{FRESH} 70.0 s | 2026-11-21 |" in shown(replace(FIGURES, fresh=70.0), earlier=old)
    assert f"{FRESH} with `--fresh`" in shown(FIGURES)


def test_each_run_adds_its_row_to_the_history() -> None:
    first = shown(FIGURES)
    second = shown(replace(FIGURES, unit=None), earlier=first)
    history = second.partition(HISTORY)[2].strip().splitlines()

    assert history[0] == "| date | N | GET /catalogs | a placed order | idle CPU | memory |"
    assert history[2:] == [
        "| 2026-11-21 | 48 µs | 1,000 µs | 60.0 N | 12 ms/s | 340 MB |",
        "| 2026-11-21 | – | 1,000 µs | 60.0 N | 12 ms/s | 340 MB |",
    ]


def test_without_nginx_the_page_says_that_figures_are_in_microseconds_alone() -> None:
    assert "In this run N was 48 µs" in shown(FIGURES)
    assert "There is no nginx here" in shown(replace(FIGURES, unit=None))


def test_the_processors_name_is_found_where_linux_tells_it() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: Acme  3000 @ 2GHz\nflags: x\n") == (
        "Acme 3000 @ 2GHz"
    )
    assert cpu_model("Processor : ARMv8") == ""
