"""A wait ends, later on a busy machine, and says what it waits for."""

import os
import time

import pytest

from fusebox.core import progress, wait
from fusebox.core.progress import PlainDisplay
from fusebox.core.wait import Late, slowdown, wait_until


@pytest.mark.parametrize(("load", "cores", "times"), [(0.1, 2, 1), (2, 2, 1), (11, 2, 5.5)])
def test_a_machine_is_slower_by_its_load_for_each_core(
    monkeypatch: pytest.MonkeyPatch, load: float, cores: int, times: float
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0, 0))
    monkeypatch.setattr(os, "cpu_count", lambda: cores)

    assert slowdown() == times


def test_a_wait_ends_in_time_on_an_idle_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "slowdown", lambda: 1.0)

    with pytest.raises(Late, match="kafka-1 did not answer"):
        wait_until(lambda: False, 0.1, "kafka-1", pause=0.01)


def test_on_a_busy_machine_it_takes_as_many_times_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "slowdown", lambda: 5.0)
    began = time.monotonic()

    wait_until(lambda: time.monotonic() > began + 0.3, 0.1, "kafka-1", pause=0.01)


def test_who_watches_a_start_is_told_what_it_waits_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    display = PlainDisplay()
    for name in ("kafka", "zipkin", "postgres"):
        display.started(name)
    display.finished("postgres", 1.5)
    display.tick()
    monkeypatch.setattr(progress, "SILENT_SECONDS", -1)

    display.tick()

    assert "waiting for kafka, zipkin" in capsys.readouterr().out
