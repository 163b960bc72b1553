"""The supervisor of a stack: its configuration, and how it is started and spoken to."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import xmlrpc.client
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psutil

from fusebox.core.errors import Fault
from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import PORTS, Part, is_instance, part_of
from fusebox.core.wait import wait_until
from fusebox.logs.files import tail
from fusebox.native import process_tree
from fusebox.native.jvm import java_environment
from fusebox.native.programs import (
    Program,
    escaped,
    service_program,
    throttle_name,
    throttle_program,
)
from fusebox.network import ports
from fusebox.network.proxies import without_own_hosts
from fusebox.runtime.driver import RUNNING, STARTING_SECONDS, State
from fusebox.state import eureka_zone

START_SECONDS = 20
RPC_SECONDS = 30
THROTTLE_END_SECONDS = 15
NOT_RUNNING_FAULT = 70
ALREADY_STARTED_FAULT = 60
UNKNOWN_FAULT = 10
# What supervisord gives as the exit status of who did not end by itself.
ENDED_BY_SIGNAL = -1


class Supervisor:
    """The processes of one stack, by their instances' names.

    All that touches a process goes through here.
    """

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def is_up(self) -> bool:
        try:
            return bool(self._call("supervisor.getState")["statename"] == "RUNNING")
        except (OSError, http.client.HTTPException):
            return False

    def launch(self) -> None:
        """Start supervisord, with no program yet."""
        self._programs.mkdir(mode=0o700, exist_ok=True)
        for left in self._programs.glob("*.conf"):
            left.unlink()
        configuration = self.stack.run / "supervisord.conf"
        write_whole(configuration, _configuration(self.stack, self._programs).encode())
        process = subprocess.Popen(
            [sys.executable, "-m", "supervisor.supervisord", "-c", str(configuration)],
            env=_environment(self.stack),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            umask=0o077,
        )
        wait_until(lambda: self.is_up() or process.poll() is not None, START_SECONDS, "supervisord")
        if process.poll() is not None:
            raise Fault(
                f"supervisord ended at once with {process.returncode}",
                where=f"its log: {self.stack.logs / 'supervisord.log'}",
            )

    def add(self, part: Part, number: int, more: Mapping[str, str] | None = None) -> None:
        self.add_program(service_program(self.stack, part, number, more))

    def add_program(self, program: Program) -> None:
        """Make `program` known; it does not run yet."""
        text = program.configuration(self.stack.logs)
        write_whole(self._programs / f"{program.name}.conf", text.encode())
        self._call("supervisor.reloadConfig")
        self._call("supervisor.addProcessGroup", program.name)

    @property
    def _programs(self) -> Path:
        return self.stack.run / "programs"

    def states(self) -> dict[str, State]:
        return {state.instance: state for state in map(_state, self._infos())}

    def start(self, instance: str) -> None:
        if is_instance(instance):
            self._refuse_taken_port(instance)
        self._tolerating(ALREADY_STARTED_FAULT, "supervisor.startProcess", instance, False)

    def _refuse_taken_port(self, instance: str) -> None:
        """The process itself would only die of it, again and again, with a word in its log."""
        part = part_of(instance)
        own_ports = {
            name: self.stack.port(name)
            for name in PORTS
            if name in (part.name, f"{part.name}-controller")
        }
        if instance in (replicas := eureka_zone.urls(self.stack)):
            own_ports = {part.name: urlsplit(replicas[instance]).port or 80}
        ports.refuse_strangers(self.stack, own_ports, partial(process_tree.is_own, self.stack))

    def remove(self, instance: str) -> None:
        """Forget a program that has ended."""
        self._tolerating(UNKNOWN_FAULT, "supervisor.removeProcessGroup", instance)
        (self._programs / f"{instance}.conf").unlink(missing_ok=True)

    def pause(self, instance: str) -> None:
        """SIGSTOP it and all it has begun, until `resume`."""
        try:
            process_tree.pause(self.states()[instance].pid)
        except psutil.NoSuchProcess as gone:
            raise Fault(f"{instance} has just ended") from gone

    def resume(self, instance: str) -> bool:
        """Let go on what is paused; False when it was not."""
        state = self.states().get(instance)
        if state is None or not state.is_paused:
            return False
        process_tree.resume(state.pid)
        return True

    def stop(self, instance: str) -> None:
        """Ask it to end; `states` shows when it has."""
        self.resume(instance)  # what is paused hears no request
        self._tolerating(NOT_RUNNING_FAULT, "supervisor.stopProcess", instance, False)

    def kill(self, instance: str) -> None:
        """SIGKILL it and all it has begun; it stays dead."""
        self._tolerating(NOT_RUNNING_FAULT, "fusebox.killForGood", instance)

    def throttle(self, part: Part, milliseconds: int) -> None:
        pid = self.states()[part.instance()].pid
        self.add_program(throttle_program(part, pid, milliseconds))
        self.start(throttle_name(part))

    def release(self, part: Part) -> bool:
        name = throttle_name(part)
        state = self.states().get(name)
        if state is None:
            return False
        self.stop(name)
        wait_until(lambda: not self.states()[name].pid, THROTTLE_END_SECONDS, f"the end of {name}")
        self.remove(name)
        return state.is_running

    def halt_of(self, states: Mapping[str, State], part: Part) -> int:
        state = states.get(throttle_name(part))
        if state is None or not state.is_running:
            return 0
        argument = process_tree.last_argument(state.pid)
        return int(argument) if argument.isdigit() else 0

    def memory(self, states: Iterable[State]) -> dict[str, int]:
        """The proportional share (PSS) of each with all it has begun."""
        return {state.instance: process_tree.memory(state.pid) for state in states}

    def tail(self, instance: str) -> str:
        return f"{tail(self.stack.logs / f'{instance}.log')}\nall logs: {self.stack.logs}"

    def shut_down(self) -> None:
        self._call("supervisor.shutdown")

    def pid(self) -> int:
        return cast(int, self._call("supervisor.getPID"))

    def _infos(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", self._call("supervisor.getAllProcessInfo"))

    def _tolerating(self, code: int, method: str, *arguments: object) -> None:
        try:
            self._call(method, *arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != code:
                raise Fault(f"the supervisor refused {method}: {fault.faultString}") from fault

    def _call(self, method: str, *arguments: object) -> Any:
        body = xmlrpc.client.dumps(arguments, method)  # type: ignore[arg-type]
        connection = _UnixConnection(self.stack.socket)
        try:
            connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
            return xmlrpc.client.loads(connection.getresponse().read())[0][0]
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=RPC_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _state(info: dict[str, Any]) -> State:
    return State(
        instance=info["name"],
        state=info["statename"],
        pid=info["pid"],
        started=info["start"],
        reason=_reason(info),
        is_paused=process_tree.is_paused(info["pid"]),
        ended_by=_ended_by(info),
        is_new=info["statename"] in RUNNING and info["now"] - info["start"] < STARTING_SECONDS,
    )


def _reason(info: dict[str, Any]) -> str:
    if info["statename"] in RUNNING or not info["start"]:
        return ""
    if info["statename"] == "STOPPED":
        return "killed or stopped on request"
    return info["spawnerr"] or f"ended with exit status {info['exitstatus']}"


def _ended_by(info: dict[str, Any]) -> str:
    if info["statename"] != "STOPPED" or not info["start"]:
        return ""
    return "killed" if info["exitstatus"] == ENDED_BY_SIGNAL else "stopped"


def _environment(stack: Stack) -> dict[str, str]:
    """Passed on to every process: supervisord adds only what differs between them."""
    inherited = without_own_hosts(java_environment(os.environ), stack)
    # Each thread's own malloc arena would cost the JVMs and the services tens of megabytes.
    return {**inherited, "MALLOC_ARENA_MAX": "2", "PYTHONUNBUFFERED": "1", **stack.environment()}


def _configuration(stack: Stack, programs: Path) -> str:
    return "\n".join(
        [
            "[supervisord]",
            "nodaemon=true",
            "silent=true",
            f"logfile={escaped(str(stack.logs / 'supervisord.log'))}",
            "logfile_maxbytes=5MB",
            "logfile_backups=1",
            f"pidfile={escaped(str(stack.run / 'supervisord.pid'))}",
            f"childlogdir={escaped(str(stack.logs))}",
            "umask=077",
            *(["user=root"] if os.geteuid() == 0 else []),
            "",
            "[unix_http_server]",
            f"file={escaped(str(stack.socket))}",
            "chmod=0700",
            "",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
            "",
            "[rpcinterface:fusebox]",
            "supervisor.rpcinterface_factory = fusebox.native.supervisor_plugin:make_interface",
            "",
            "[include]",
            f"files={escaped(str(programs))}/*.conf",
            "",
        ]
    )
