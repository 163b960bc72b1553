"""A supervisor that stands for the real one: nothing of it runs."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.native.programs import Program
from fusebox.native.supervisor import Supervisor
from fusebox.network import kafka_admin
from fusebox.operations import drivers
from fusebox.operations import instances as instance_operations
from fusebox.runtime import health
from fusebox.runtime.driver import State

Verb = Callable[[], object]

PARTS = ("postgres-1", "kafka-1", "discovery-1", "gateway-1")


class FakeSupervisor(Supervisor):
    """Keeps states and writes down what is asked of it."""

    def __init__(self, stack: Stack, *instances: str) -> None:
        super().__init__(stack)
        self.known = {name: state(name) for name in (*PARTS, *instances)}
        self.asked: list[str] = []
        self.refuses_to_start: set[str] = set()
        self.outlasts_its_time: set[str] = set()

    def is_up(self) -> bool:
        return True

    def states(self) -> dict[str, State]:
        return dict(self.known)

    def add_program(self, program: Program) -> None:
        assert program.name not in self.known
        self._note("add", program.name)
        self.known[program.name] = state(program.name, "STOPPED", pid=0)

    def remove(self, name: str) -> None:
        assert not self.known[name].pid
        self._note("remove", name)
        del self.known[name]

    def start(self, name: str) -> None:
        if name in self.refuses_to_start:
            raise Fault(f"{name} does not start")
        self._note("start", name)
        self.known[name] = state(name)

    def stop(self, name: str) -> None:
        self._end("stop", name)

    def kill(self, name: str) -> None:
        self._end("kill", name)

    def pause(self, name: str) -> None:
        self._note("pause", name)
        self.known[name] = replace(self.known[name], is_paused=True)

    def resume(self, name: str) -> bool:
        was_paused = self.known[name].is_paused
        self.known[name] = replace(self.known[name], is_paused=False)
        return was_paused

    def _end(self, how: str, name: str) -> None:
        self._note(how, name)
        ended_by = "killed" if how == "kill" or name in self.outlasts_its_time else "stopped"
        self.known[name] = replace(state(name, "STOPPED", pid=0), ended_by=ended_by)

    def _note(self, what: str, name: str) -> None:
        self.asked.append(f"{what} {name}")


def state(name: str, is_: str = "RUNNING", pid: int = 1) -> State:
    return State(name, is_, pid, started=1, reason="")


class ShopWithFakes:
    """A supervisor with what surrounds it; nothing of it runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
        self.stack, self._monkeypatch = stack, monkeypatch
        self.forgotten: list[str] = []
        self.asked_at_discovery = True
        # Who is late for an instance, each time that it is asked.
        self.late: dict[str, list[list[str]]] = {}

    def with_(self, *instances: str) -> FakeSupervisor:
        supervisor = FakeSupervisor(self.stack, *instances)

        def launch(_stack: Stack, _supervisor: Any, wanted: Sequence[str]) -> None:
            for name in wanted:
                supervisor.start(name)

        def registered(_: Stack) -> dict[str, Any]:
            return dict(supervisor.known) if self.asked_at_discovery else {}

        def late_for(_: Stack, instance: str, _awake: Sequence[str]) -> list[str]:
            return self.late[instance].pop(0) if self.late.get(instance) else []

        def forget(_stack: Stack, _group: str, gone: Sequence[str]) -> None:
            self.forgotten += gone

        self._monkeypatch.setattr(drivers, "driver_of", lambda _: supervisor)
        self._monkeypatch.setattr(instance_operations, "launch", launch)
        self._monkeypatch.setattr(health, "registered", registered)
        self._monkeypatch.setattr(health, "late_for", late_for)
        self._monkeypatch.setattr(kafka_admin, "forget_members", forget)
        return supervisor
