"""The containers of one stack, as the driver of all verbs."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from fusebox.core.errors import Fault
from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME, Part, part_of
from fusebox.docker import compose, throttle
from fusebox.network import ports
from fusebox.runtime.driver import STARTING_SECONDS, STOP_WAIT_SECONDS, State

NUMBER, SERVICE = "com.docker.compose.container-number", "com.docker.compose.service"
KILLED = 137
UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
UP_SECONDS = 120.0


class Containers:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def is_up(self) -> bool:
        return bool(self.states())

    def states(self) -> dict[str, State]:
        described = [
            container for container in compose.inspect(self.stack) if _is_instance(container)
        ]
        return {state.instance: state for state in map(_state, described)}

    def add(self, part: Part, number: int, more: Mapping[str, str] | None = None) -> None:
        there = part.among(self.states())
        scaled = f"{part.name}={len(there) + 1}"
        compose.compose(
            self.stack,
            *("up", "--detach", "--no-deps", "--no-recreate", "--no-build"),
            *("--scale", scaled, part.name),
            timeout=UP_SECONDS,
            more=more,
        )
        if part.instance(number) not in self.states():
            raise Fault(
                f"compose gave the new instance of {part.name} another number than {number}",
                remedy=f"see `docker ps --all`, and make scale SERVICE={part.name} N=1.",
            )

    def start(self, instance: str) -> None:
        self.resume(instance)
        part = part_of(instance)
        if part.published and not self.states()[instance].is_running:
            # The engine itself does not say who holds it.
            ports.refuse_strangers(
                self.stack, {part.name: self.stack.port(part.name)}, lambda _: False
            )
        compose.docker("start", self.stack.container(instance))

    def stop(self, instance: str) -> None:
        self.resume(instance)
        # Not waited for: whoever stops several wants them to end side by side.
        command = ["docker", "stop", f"--time={STOP_WAIT_SECONDS}", self.stack.container(instance)]
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self, instance: str) -> None:
        if self.states()[instance].pid:
            compose.docker("kill", self.stack.container(instance))

    def remove(self, instance: str) -> None:
        compose.docker("rm", "--volumes", self.stack.container(instance))

    def pause(self, instance: str) -> None:
        if not self.states()[instance].is_paused:
            compose.docker("pause", self.stack.container(instance))

    def resume(self, instance: str) -> bool:
        state = self.states().get(instance)
        if state is None or not state.is_paused:
            return False
        compose.docker("unpause", self.stack.container(instance))
        return True

    def throttle(self, part: Part, milliseconds: int) -> None:
        state = self.states()[part.instance()]
        throttle.apply(state.host, milliseconds)
        write_whole(self._throttle_file(part), json.dumps([state.started, milliseconds]).encode())

    def release(self, part: Part) -> bool:
        states = self.states()
        was_throttled = bool(self.halt_of(states, part))
        if was_throttled:
            throttle.release(states[part.instance()].host)
        self._throttle_file(part).unlink(missing_ok=True)
        return was_throttled

    def halt_of(self, states: Mapping[str, State], part: Part) -> int:
        """A throttle ends with what it slows, so it holds only for the container's same start."""
        file, state = self._throttle_file(part), states.get(part.instance())
        if state is None or not state.is_running or not file.exists():
            return 0
        started, milliseconds = json.loads(file.read_text())
        return int(milliseconds) if started == state.started else 0

    def memory(self, states: Iterable[State]) -> dict[str, int]:
        """What the engine's limits count: without the files that can be dropped."""
        hosts = {state.host: state.instance for state in states if state.pid}
        if not hosts:
            return {}
        usage = compose.docker(
            "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", *hosts
        )
        lines = [line.split() for line in usage.splitlines()]
        return {hosts[name]: _bytes(used) for name, used, *_ in lines}

    def tail(self, instance: str) -> str:
        return compose.tail(self.stack.container(instance))

    def _throttle_file(self, part: Part) -> Path:
        return self.stack.run / f"throttle-{part.name}"


def _is_instance(described: dict[str, Any]) -> bool:
    return described["Config"]["Labels"].get(SERVICE) in BY_NAME


def _state(described: dict[str, Any]) -> State:
    labels, state = described["Config"]["Labels"], described["State"]
    is_running = state["Running"] and not state["Restarting"]
    instance = BY_NAME[labels[SERVICE]].instance(int(labels[NUMBER]))
    started = _microseconds(state["StartedAt"])
    return State(
        instance=instance,
        state="RUNNING" if is_running else state["Status"].upper(),
        pid=state["Pid"] if is_running else 0,
        started=started,
        reason="" if is_running else _reason(state),
        is_paused=state["Paused"],
        ended_by="" if is_running or state["Status"] != "exited" else _ended_by(state),
        host=described["Name"].removeprefix("/"),
        is_new=is_running and time.time() - started / 1e6 < STARTING_SECONDS,
    )


def _reason(state: dict[str, Any]) -> str:
    if state["Restarting"]:
        return f"ended with exit status {state['ExitCode']} and is started again and again"
    if state["Status"] == "exited":
        killer = " for want of memory" if state["OOMKilled"] else ""
        return f"ended with exit status {state['ExitCode']}{killer}"
    return str(state["Error"]) or "was never started"


def _ended_by(state: dict[str, Any]) -> str:
    """Whoever ends by himself is started again, so what has exited was told to."""
    return "killed" if state["ExitCode"] == KILLED else "stopped"


def _microseconds(time: str) -> int:
    """The engine's times have nanoseconds, which Python's do not."""
    whole, _, fraction = time.removesuffix("Z").partition(".")
    return int(datetime.fromisoformat(f"{whole}+00:00").timestamp() * 1e6) + int(
        f"{fraction:0<6}"[:6]
    )


def _bytes(text: str) -> int:
    """`131.5MiB` in bytes."""
    unit = text.lstrip("0123456789.")
    return int(float(text.removesuffix(unit)) * UNITS.get(unit, 1))
