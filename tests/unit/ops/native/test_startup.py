"""A start goes on without what the shop does without."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from fusebox.cli import up
from fusebox.core.progress import PlainDisplay
from fusebox.core.stack import Stack
from fusebox.core.topology import PARTS
from fusebox.native import jars, kafka, programs, zipkin
from fusebox.native.programs import Program
from fusebox.native.startup import ProcessStartup
from fusebox.native.supervisor import Supervisor


@pytest.fixture
def start(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> ProcessStartup:
    monkeypatch.setattr(programs, "zipkin_program", lambda _: Program("zipkin-1", ["java"]))
    return ProcessStartup(stack, PlainDisplay())


def test_zipkin_is_started_when_the_shop_is_open_and_not_waited_for(
    start: ProcessStartup, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(Supervisor, "add_program", lambda _, program: calls.append(program.name))
    monkeypatch.setattr(Supervisor, "start", lambda _, name: calls.append(f"start {name}"))

    last = start._steps()[-1]
    assert last.name == "zipkin"
    assert {"shop", "topics"} <= set(last.after)
    last.run()
    up._warn(start.late)

    assert calls == ["zipkin-1", "start zipkin-1"]
    assert "zipkin-1 is still starting: the shop does without it" in capsys.readouterr().out


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


def test_who_only_watches_is_optional_and_nothing_needs_it() -> None:
    optional = {part.name for part in PARTS if part.optional}

    assert optional == {"panel", "zipkin"}
    assert not optional & {name for part in PARTS for name in part.needs}
