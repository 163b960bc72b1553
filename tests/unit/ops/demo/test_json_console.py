"""The demo for a program: each thing that happens is a line of JSON, at once."""

import io
import json

import pytest

from fusebox.demo.assertions import FailedAssertion
from fusebox.demo.json_console import JsonConsole


def lines(out: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_step_is_told_line_by_line() -> None:
    out = io.StringIO()
    console = JsonConsole(out)

    console.begin_step(2, 8, "catalog-service is killed", "So orders are degraded.")
    console.event("kill", "SIGKILL")
    console.show(["a picture"])
    console.check("Orders are accepted.", True, "201")
    console.note("Done.")

    assert [line["kind"] for line in lines(out)] == [
        "step",
        "says",
        "does",
        "sees",
        "asserts",
        "says",
    ]
    assert lines(out)[0] == {
        "kind": "step",
        "step": 2,
        "steps": 8,
        "title": "catalog-service is killed",
    }
    assert console.passed == 1


def test_an_assertion_that_fails_is_told_and_ends_the_tour() -> None:
    out = io.StringIO()
    console = JsonConsole(out)
    console.trace_link("http://zipkin/trace")

    with pytest.raises(FailedAssertion) as failed:
        console.check("Orders are accepted.", False, "503")

    assert lines(out)[-1] == {"kind": "fails", "text": "Orders are accepted. (503)"}
    assert "http://zipkin/trace" in failed.value.where
