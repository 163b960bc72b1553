"""A start goes on without what the shop does without."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from fusebox.cli import up
from fusebox.core.errors import Fault
from fusebox.core.progress import PlainDisplay
from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS
from fusebox.core.wait import Late
from fusebox.native import jars, kafka, programs, startup, zipkin
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


def test_what_takes_long_is_said_at_the_first_start_and_at_no_later_one(
    start: ProcessStartup, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(jars, "jar_folder", lambda: tmp_path)
    jar = jars.Jar("kafka", "a:b:1", "b.jar", "0" * 64)
    monkeypatch.setattr(jars, "read_lock", lambda _: [jar])
    made = SimpleNamespace(cache=tmp_path / "kafka.aot")
    monkeypatch.setattr(kafka, "program", lambda _: made)
    monkeypatch.setattr(zipkin, "program", lambda _: made)

    assert "first start fetches Kafka and Zipkin" in start.what_takes_long()
    (tmp_path / "b.jar").touch()
    assert "the next start is quicker" in start.what_takes_long()
    made.cache.touch()
    assert start.what_takes_long() == ""
    assert start.make_aot_caches() is False


def test_only_zipkin_is_optional_and_nothing_needs_it() -> None:
    optional = {part.name for part in PARTS if part.optional}

    assert optional == {"zipkin"}
    assert not optional & {name for part in PARTS for name in part.needs}
