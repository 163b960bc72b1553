"""The verb `logs`: each line with the name of who wrote it, coloured on a terminal."""

import json
import re

import click
import pytest
from click.testing import CliRunner

from fusebox.cli.main import cli
from fusebox.core.errors import Fault
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


TRACE = "463ac35c9f6413ad48485a3953bb6124"


@pytest.fixture
def events(stack: Stack) -> None:
    for name, second in (("order-service-1", 5), ("gateway-1", 4)):
        event = {
            "@timestamp": f"2026-11-28T08:00:0{second}.250Z",
            "log.level": "error" if second == 5 else "info",
            "message": f"line of {name}",
            "service.node.name": name,
            "trace.id": TRACE,
            "error.stack_trace": "Traceback\n  in place" if second == 5 else "",
        }
        with (stack.logs / f"{name}.log").open("a") as log:
            log.write(json.dumps(event) + "\n")


@pytest.mark.usefixtures("events")
def test_an_event_is_shown_as_people_read_it() -> None:
    *_, last, trace, place = shown("order-service")

    assert re.search(r"\d\d:\d\d:05.250 ERROR   line of order-service-1  trace.id=", last)
    assert trace.endswith("Traceback")
    assert place.endswith("  in place")


@pytest.mark.usefixtures("events")
def test_a_trace_is_shown_with_the_gaps() -> None:
    first, second, *_ = shown("--trace", TRACE.upper())

    assert "+0 ms" in first
    assert "line of gateway-1" in first
    assert "+1000 ms" in second


@pytest.mark.usefixtures("events")
def test_filters_leave_out_what_was_not_asked_for() -> None:
    assert [line[:9] for line in shown("--level", "error", "--grep", "order-serv.ce")][0:1] == [
        "order-ser"
    ]
    assert len(shown("--since", "2026-11-28T08:00:04Z", "gateway")) == 1
    assert len(shown("--lines", "2")) == 4, "two events, and a traceback of two lines"


@pytest.mark.usefixtures("events")
def test_as_json_every_line_has_the_same_names() -> None:
    lines = [json.loads(line) for line in shown("--json")]

    assert len(lines) == 5
    assert all({"@timestamp", "message", "service.node.name"} <= set(line) for line in lines)


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("--trace", "7", "16 or 32 hex digits"),
        ("--order", "7", "a UUID"),
        ("--level", "loud", "trace, debug, info, warn, error, fatal"),
        ("--since", "soon", "10m"),
        ("--grep", "(", "a regular expression"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_is_allowed(
    option: str, value: str, allowed: str
) -> None:
    done = CliRunner().invoke(cli, ["logs", option, value])

    assert done.exit_code == 2
    assert allowed in done.output


def test_an_id_that_nobody_knows_is_said_to_be_one() -> None:
    done = CliRunner().invoke(cli, ["logs", "--trace", "f" * 32])

    assert isinstance(done.exception, Fault)
    assert "no line of the logs names" in str(done.exception)
