"""What supervisord is told, and a kill that lasts."""

import configparser
import shlex
import signal
from pathlib import Path
from typing import Any

import pytest
from supervisor.xmlrpc import RPCError

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME
from fusebox.native.postgres import Place
from fusebox.native.programs import Program, postgres_program, service_program, throttle_program
from fusebox.native.supervisor import Supervisor
from fusebox.native.supervisor_plugin import FuseboxInterface


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


class SupervisedProcess:
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
    def __init__(self, name: str, process: SupervisedProcess) -> None:
        self.processes = {name: process}


class Supervisord:
    def __init__(self, **processes: SupervisedProcess) -> None:
        self.process_groups: dict[str, Any] = {
            name: Group(name, process) for name, process in processes.items()
        }


def test_a_killed_process_is_marked_as_stopped_on_request() -> None:
    process = SupervisedProcess()

    assert FuseboxInterface(Supervisord(kafka=process)).killForGood("kafka")

    assert process.administrative_stop
    assert process.signals == [signal.SIGKILL]


def test_killing_what_does_not_run_is_refused() -> None:
    with pytest.raises(RPCError):
        FuseboxInterface(Supervisord(kafka=SupervisedProcess("not running"))).killForGood("kafka")


def test_killing_an_unknown_process_is_refused() -> None:
    with pytest.raises(RPCError):
        FuseboxInterface(Supervisord()).killForGood("kafka")


def test_a_throttle_runs_once_and_is_told_whom_to_halt_and_for_how_long() -> None:
    program = throttle_program(BY_NAME["kafka"], pid=4711, milliseconds=300)

    assert program.name == "throttle-kafka"
    assert program.command[-3:] == ["fusebox.native.throttle", "4711", "300"]
    assert not program.lasting


class SpokenTo(Supervisor):
    """Answers from what it is given; writes down what it is told."""

    def __init__(self, stack: Stack, **info: Any) -> None:
        super().__init__(stack)
        self.calls: list[str] = []
        self._info = {
            "name": "kafka-1",
            "statename": "RUNNING",
            "pid": 0,
            "start": 1,
            "now": 100,
            "spawnerr": "",
            "exitstatus": 0,
            **info,
        }

    def _call(self, method: str, *arguments: object) -> Any:
        self.calls.append(method)
        return [self._info] if method == "supervisor.getAllProcessInfo" else True


@pytest.mark.parametrize(
    ("info", "ended_by"),
    [
        ({"statename": "STOPPED", "exitstatus": -1}, "killed"),
        ({"statename": "STOPPED", "exitstatus": 143}, "stopped"),
        ({"statename": "STOPPED", "start": 0}, ""),
        ({"statename": "BACKOFF", "exitstatus": -1}, ""),
        ({"statename": "RUNNING"}, ""),
    ],
)
def test_killed_and_stopped_are_told_apart(
    stack: Stack, info: dict[str, Any], ended_by: str
) -> None:
    assert SpokenTo(stack, **info).states()["kafka-1"].ended_by == ended_by


def test_what_is_paused_goes_on_before_it_is_asked_to_end(stack: Stack, family: Any) -> None:
    supervisor = SpokenTo(stack, pid=family.pid)
    supervisor.pause("kafka-1")
    assert supervisor.states()["kafka-1"].is_paused

    supervisor.stop("kafka-1")

    assert not supervisor.states()["kafka-1"].is_paused
    assert "supervisor.stopProcess" in supervisor.calls


def test_who_runs_is_not_resumed(stack: Stack, family: Any) -> None:
    assert not SpokenTo(stack, pid=family.pid).resume("kafka-1")
    assert not SpokenTo(stack).resume("nobody")


def test_who_has_just_ended_cannot_be_paused(stack: Stack, family: Any) -> None:
    family.process.kill()
    family.process.wait()
    with pytest.raises(Fault, match="kafka-1 has just ended"):
        SpokenTo(stack, pid=family.pid).pause("kafka-1")


def test_a_program_that_is_removed_leaves_no_file(stack: Stack) -> None:
    stack.make_folders()
    (stack.run / "programs").mkdir()
    supervisor = SpokenTo(stack)
    supervisor.add_program(Program("order-service-2", ["python"]))
    assert len(list((stack.run / "programs").iterdir())) == 1

    supervisor.remove("order-service-2")

    assert list((stack.run / "programs").iterdir()) == []
