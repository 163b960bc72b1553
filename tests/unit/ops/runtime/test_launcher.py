"""A start that is watched: only who has died counts as dead."""

import threading
from collections.abc import Callable

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.runtime import health
from fusebox.runtime.driver import State
from fusebox.runtime.launcher import Launcher

from ..fake_supervisor import FakeSupervisor, state


@pytest.fixture
def supervisor(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> FakeSupervisor:
    monkeypatch.setattr(health, "verdict", lambda *_: health.HEALTHY)
    supervisor = FakeSupervisor(stack)
    supervisor.known["kafka-1"] = state("kafka-1", "STOPPED", pid=0)
    return supervisor


def test_who_was_started_while_the_states_were_read_is_not_dead(
    stack: Stack, supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = Launcher(stack, supervisor, threading.Event())
    read: Callable[[], dict[str, State]] = supervisor.states

    def slowly_read() -> dict[str, State]:
        states = read()
        monkeypatch.setattr(supervisor, "states", read)
        launcher.launch("kafka-1")
        return states

    monkeypatch.setattr(supervisor, "states", slowly_read)

    launcher.watch()

    assert supervisor.asked == ["start kafka-1"]


def test_who_has_died_since_its_start_ends_the_watch(
    stack: Stack, supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    launcher = Launcher(stack, supervisor, threading.Event())
    launcher.launch("kafka-1")
    supervisor.kill("kafka-1")

    with pytest.raises(Fault, match="kafka-1 did not start"):
        launcher.watch()
