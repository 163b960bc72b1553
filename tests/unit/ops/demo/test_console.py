"""The demo's console: readable in 80 columns, coloured on a terminal, plain text elsewhere."""

import io

import pytest
from click import unstyle

from fusebox.demo.assertions import FailedAssertion
from fusebox.demo.console import WIDTH, DemoConsole

LONG = "an assertion in so many words that one line of a terminal cannot hold them all " * 2


@pytest.fixture
def console() -> DemoConsole:
    return DemoConsole(io.StringIO())


def printed(console: DemoConsole) -> str:
    assert isinstance(console.out, io.StringIO)
    return console.out.getvalue()


def everything(console: DemoConsole) -> None:
    console.begin_step(2, 8, "catalog-service is killed", LONG)
    console.event("kill catalog-service", LONG)
    console.show(["x" * 200])
    console.trace_link("http://127.0.0.1:13411/zipkin/traces/6b01ca9b56f2cc68812909233b0962dd")
    console.check(LONG, True, LONG)
    console.note(LONG)


def test_no_line_is_wider_than_a_terminal(console: DemoConsole) -> None:
    everything(console)

    assert max(len(line) for line in printed(console).splitlines()) == WIDTH


def test_colour_changes_no_word(console: DemoConsole) -> None:
    coloured = DemoConsole(io.StringIO(), colour=True)
    everything(console)
    everything(coloured)

    assert "\x1b[" not in printed(console)
    assert "\x1b[" in printed(coloured)
    assert unstyle(printed(coloured)) == printed(console)


def test_an_assertion_that_holds_is_printed_with_its_evidence_and_counted(
    console: DemoConsole,
) -> None:
    console.check("Nothing is lost.", True, "3 of 3")

    assert printed(console) == "  ✓ Nothing is lost.\n    3 of 3\n"
    assert console.passed == 1


def test_an_assertion_that_fails_is_printed_and_ends_the_demo(console: DemoConsole) -> None:
    console.trace_link("http://zipkin/traces/1")

    with pytest.raises(FailedAssertion, match="Nothing is lost") as failed:
        console.check("Nothing is lost.", False, "2 of 3")

    assert "✗ Nothing is lost." in printed(console)
    assert "2 of 3" in failed.value.where
    assert "http://zipkin/traces/1" in failed.value.where
    assert failed.value.exit_code == 1
    assert console.passed == 0


def test_it_waits_for_the_reader_only_on_a_terminal(console: DemoConsole) -> None:
    keys: list[str] = []
    watched = DemoConsole(io.StringIO(), wait_for_key=lambda: keys.append("Enter"))

    console.pause()
    watched.pause()

    assert printed(console) == ""
    assert "Enter" in printed(watched)
    assert keys == ["Enter"]
