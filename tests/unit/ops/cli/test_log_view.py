"""The verb `logs`: each line with the name of who wrote it, coloured on a terminal."""

import click
import pytest
from click.testing import CliRunner

from fusebox.cli.main import cli
from fusebox.core.stack import Stack


@pytest.fixture(autouse=True)
def _logs(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
    monkeypatch.setenv("FUSEBOX_HOME", str(stack.home))
    stack.make_folders()
    for name, second in (("order-service-1", 1), ("order-service-2", 3), ("kafka-1", 2)):
        line = f"2026-11-28 08:00:0{second},000 INFO of {name}\n"
        (stack.logs / f"{name}.log").write_text(line)


def shown(*arguments: str, color: bool = False) -> list[str]:
    done = CliRunner().invoke(cli, ["logs", "--no-follow", *arguments], color=color)
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_the_lines_of_all_come_in_the_order_of_time() -> None:
    assert [line.rpartition(" of ")[2] for line in shown()] == [
        "order-service-1",
        "kafka-1",
        "order-service-2",
    ]
    assert shown()[1].startswith("kafka-1         | 2026-11-28")


def test_of_one_service_only_its_instances_are_shown() -> None:
    assert len(shown("order-service")) == 2
    assert len(shown("order-service", "--lines", "1")) == 1


def test_each_service_has_a_colour_and_its_instances_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, kafka, second = (line.partition("order")[0][:6] for line in shown(color=True))

    assert first.startswith("\x1b[")
    assert first == second
    assert shown(color=True)[1][:5] != first[:5]
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(color=True) == [click.unstyle(line) for line in shown(color=True)]
    assert kafka
