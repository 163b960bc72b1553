"""A start goes on without what the shop does without."""

import pytest

from fusebox.cli import up
from fusebox.core.errors import Fault
from fusebox.core.progress import PlainDisplay
from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS
from fusebox.core.wait import Late
from fusebox.native import programs, startup
from fusebox.native.programs import Program
from fusebox.native.startup import ProcessStartup


@pytest.fixture
def start(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> ProcessStartup:
    monkeypatch.setattr(programs, "zipkin_program", lambda _: Program("zipkin-1", ["java"]))
    return ProcessStartup(stack, PlainDisplay())


def fail_with(fault: Fault) -> object:
    def launch(_self: ProcessStartup, _program: Program) -> None:
        raise fault

    return launch


def test_a_late_zipkin_is_told_and_not_waited_for(
    start: ProcessStartup, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    late = Late("zipkin-1 did not answer within 90 s")
    monkeypatch.setattr(startup.ProcessStartup, "_launch", fail_with(late))

    start._zipkin()
    up._warn(start.late)

    assert "zipkin-1 did not answer within 90 s" in capsys.readouterr().out


def test_a_zipkin_that_cannot_start_at_all_fails_the_start(
    start: ProcessStartup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(startup.ProcessStartup, "_launch", fail_with(Fault("its port is taken")))

    with pytest.raises(Fault, match="port is taken"):
        start._zipkin()


def test_only_zipkin_is_optional_and_nothing_needs_it() -> None:
    optional = {part.name for part in PARTS if part.optional}

    assert optional == {"zipkin"}
    assert not optional & {name for part in PARTS for name in part.needs}
