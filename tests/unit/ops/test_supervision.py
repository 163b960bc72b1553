"""What supervisord is told, and a kill that lasts."""

import configparser
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from supervisor.xmlrpc import RPCError

from fusebox.parts import BY_NAME
from fusebox.postgres import Place
from fusebox.programs import Program, postgres_program, service_program
from fusebox.stack import Stack
from fusebox.supervisor_plugin import FuseboxInterface


def section(program: Program) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(program.configuration(Path("/logs")))
    return dict(parser[f"program:{program.name}"])


def test_a_lasting_program_is_started_again_when_it_dies_by_itself() -> None:
    settings = section(Program("order-service-1", ["python"]))

    assert settings["autorestart"] == "true"
    assert settings["autostart"] == "false"
    assert settings["stdout_logfile"] == "/logs/order-service-1.log"


def test_a_program_that_runs_once_is_not() -> None:
    assert section(Program("java-training", ["python"], lasting=False))["autorestart"] == "false"


def test_a_command_with_spaces_and_percent_signs_arrives_as_it_was() -> None:
    settings = section(Program("kafka-1", ["/a b/java", "-D=100%"]))

    assert shlex.split(settings["command"].replace("%%", "%")) == ["/a b/java", "-D=100%"]


def test_an_instance_is_told_its_name_and_its_folder(stack: Stack) -> None:
    program = service_program(stack, BY_NAME["order-service"], number=2)

    assert program.name == "order-service-2"
    assert program.environment["FUSEBOX_INSTANCE"] == "order-service-2"
    assert program.environment["FUSEBOX_STATE"].endswith("order-service-2")


def test_postgresql_listens_on_the_loopback_only_and_ends_quickly(stack: Stack) -> None:
    program = postgres_program(stack, Place(Path("/pg"), Path("/data"), "postgres"))

    assert "--listen_addresses=127.0.0.1" in program.command
    assert "--port=15432" in program.command
    assert (program.account, program.stop_signal) == ("postgres", "INT")


class Process:
    """Stands for supervisord's own."""

    def __init__(self, problem: str | None = None) -> None:
        self.pid = 0
        self.administrative_stop = False
        self.signals: list[int] = []
        self._problem = problem

    def kill(self, number: int) -> str | None:
        self.signals.append(number)
        return self._problem


class Group:
    def __init__(self, name: str, process: Process) -> None:
        self.processes = {name: process}


class Supervisord:
    def __init__(self, **processes: Process) -> None:
        self.process_groups: dict[str, Any] = {
            name: Group(name, process) for name, process in processes.items()
        }


def test_a_killed_process_is_marked_as_stopped_on_request() -> None:
    process = Process()

    assert FuseboxInterface(Supervisord(kafka=process)).killForGood("kafka")

    assert process.administrative_stop
    assert process.signals == [signal.SIGKILL]


def test_killing_what_does_not_run_is_refused() -> None:
    with pytest.raises(RPCError):
        FuseboxInterface(Supervisord(kafka=Process("not running"))).killForGood("kafka")


def test_killing_an_unknown_process_is_refused() -> None:
    with pytest.raises(RPCError):
        FuseboxInterface(Supervisord()).killForGood("kafka")
