"""The stage: readable in 80 columns, plain where nobody looks on, and silent about nothing."""

import io

import pytest
from click import unstyle

from fusebox.demo.assertions import BrokenPromise
from fusebox.demo.console import WIDTH, Stage

LONG = "a promise in so many words that one line of a terminal cannot hold them all " * 2


@pytest.fixture
def stage() -> Stage:
    return Stage(io.StringIO())


def told(stage: Stage) -> str:
    assert isinstance(stage.out, io.StringIO)
    return stage.out.getvalue()


def everything(stage: Stage) -> None:
    stage.open(2, 8, "catalog-service is killed", LONG)
    stage.tell("kill catalog-service", LONG)
    stage.show(["x" * 200])
    stage.link("http://127.0.0.1:13411/zipkin/traces/6b01ca9b56f2cc68812909233b0962dd")
    stage.hold(LONG, True, LONG)
    stage.say(LONG)


def test_no_line_is_wider_than_a_terminal(stage: Stage) -> None:
    everything(stage)

    assert max(len(line) for line in told(stage).splitlines()) == WIDTH


def test_colour_changes_no_word(stage: Stage) -> None:
    coloured = Stage(io.StringIO(), colour=True)
    everything(stage)
    everything(coloured)

    assert "\x1b[" not in told(stage)
    assert "\x1b[" in told(coloured)
    assert unstyle(told(coloured)) == told(stage)


def test_a_kept_promise_is_told_with_what_was_seen_and_counted(stage: Stage) -> None:
    stage.hold("Nothing is lost.", True, "3 of 3")

    assert told(stage) == "  ✓ Nothing is lost.\n    3 of 3\n"
    assert stage.kept == 1


def test_a_broken_promise_is_told_and_ends_the_tour(stage: Stage) -> None:
    stage.link("http://zipkin/traces/1")

    with pytest.raises(BrokenPromise, match="Nothing is lost") as broken:
        stage.hold("Nothing is lost.", False, "2 of 3")

    assert "✗ Nothing is lost." in told(stage)
    assert "2 of 3" in broken.value.where
    assert "http://zipkin/traces/1" in broken.value.where
    assert broken.value.exit_code == 1
    assert stage.kept == 0


def test_the_reader_is_waited_for_where_there_is_one(stage: Stage) -> None:
    keys: list[str] = []
    watched = Stage(io.StringIO(), wait_for_key=lambda: keys.append("Enter"))

    stage.pause()
    watched.pause()

    assert told(stage) == ""
    assert "Enter" in told(watched)
    assert keys == ["Enter"]
