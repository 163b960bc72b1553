"""The verb `replay`: what it takes, what it prints, and how it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fusebox.cli.main import cli
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.replay import replay as replaying
from fusebox.replay.outcome.reconciliation import Difference
from fusebox.replay.outcome.report import (
    CancellationCounts,
    LineCounts,
    OrderCounts,
    Pace,
    Report,
    Stocks,
)
from fusebox.replay.replay import ReplaySource

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"


def report(differences: list[Difference]) -> Report:
    return Report(
        source="orders.csv",
        run="abcd",
        customers=2,
        lines=LineCounts(read=5, played=3, left_out={"customer missing": 2}, corrected={}),
        orders=OrderCounts(3, 1, 2, 1, 0, 1, 0, [], [], degraded=1),
        cancellations=CancellationCounts(1, 0, 0),
        pace=Pace(1.5, 1.3, 20.0, 40.0, retried=4),
        stocks=Stocks(2, 20, 15, 15 - len(differences), differences),
    )


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["orders.csv", "--synthetic", "5"],
        ["--synthetic", "0"],
        ["--synthetic", "5", "--speed", "-1"],
        ["--synthetic", "5", "--speed", "nan"],
        ["--synthetic", "5", "--concurrency", "0"],
    ],
)
def test_options_that_make_no_sense_are_refused(given: list[str]) -> None:
    assert CliRunner().invoke(cli, ["replay", *given]).exit_code == 2


def test_a_file_that_is_not_there_ends_with_exit_code_2(tmp_path: Path) -> None:
    failure = CliRunner().invoke(cli, ["replay", str(tmp_path / "orders.csv")]).exception

    assert isinstance(failure, Fault)
    assert failure.exit_code == 2


def test_a_file_of_which_nothing_can_be_played_says_why(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(HEADER + "1,A,X,1,2011-01-03,1.0,\n2,A,X,1,2011-01-03,0,17850\n")

    failure = CliRunner().invoke(cli, ["replay", str(path)]).exception

    assert isinstance(failure, Fault)
    assert failure.exit_code == 2
    assert "none can be played" in failure.what
    assert "customer missing" in failure.where


def test_when_the_shop_is_down_it_says_how_to_start_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Stack, "port", lambda _self, _name: 1)

    failure = CliRunner().invoke(cli, ["replay", "--synthetic", "5"]).exception

    assert isinstance(failure, Fault)
    assert failure.exit_code == 1
    assert "make up" in failure.remedy


@pytest.mark.parametrize(
    ("differences", "exit_code", "verdict"),
    [
        ([], 0, "Reconciled to the last piece."),
        ([Difference("85123A", 5, 4)], 1, "NOT reconciled."),
        ([Difference("85123A", 5, None)], 1, "NOT reconciled."),
    ],
)
def test_the_exit_code_is_the_verdict(
    monkeypatch: pytest.MonkeyPatch, differences: list[Difference], exit_code: int, verdict: str
) -> None:
    monkeypatch.setattr(replaying, "replay", lambda *_: report(differences))

    done = CliRunner().invoke(cli, ["replay", "--synthetic", "5"])

    assert done.exit_code == exit_code
    assert done.stdout.endswith(f"{verdict}\n")


def test_a_program_reads_the_report_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def replay(_stack: Stack, _source: ReplaySource, _concurrency: int, _speed: float) -> Report:
        print("  orders: 5 of 20")
        return report([])

    monkeypatch.setattr(replaying, "replay", replay)

    done = CliRunner().invoke(cli, ["replay", "--synthetic", "5", "--json"])

    document = json.loads(done.stdout)
    assert document["reconciled"] is True
    assert document["lines"]["leftOut"] == {"customer missing": 2}
    assert document["lines"]["mended"] == {}
    assert document["stocks"]["found"] == 15
    assert document["pace"]["p99Ms"] == 40.0
    assert "orders: 5 of 20" in done.stderr


def test_only_the_first_of_many_differences_are_printed() -> None:
    text = report([Difference(str(n), 5, 4) for n in range(25)]).text()

    assert text.count(" has 4, expected 5") == 10
    assert "15 more products differ" in text
