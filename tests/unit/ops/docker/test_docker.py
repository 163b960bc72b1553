"""Containers as the verbs see them, with a program in the engine's place."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME
from fusebox.docker import compose, startup
from fusebox.docker.containers import Containers
from fusebox.docker.startup import _remedy


@pytest.fixture
def shop(tmp_path: Path) -> Stack:
    """One of containers, in a home of its own."""
    stack = Stack.from_environment(
        {"FUSEBOX_MODE": "docker", "FUSEBOX_HOME": str(tmp_path / "home")}
    )
    stack.make_folders()
    return stack


class Engine:
    """`docker` on the path: answers by the first words of what it is asked, and writes it down."""

    def __init__(self, folder: Path) -> None:
        self._log, self._answers = folder / "asked", folder / "answers"
        self._environment = folder / "environment"
        self._answers.write_text("{}")
        program = folder / "docker"
        program.write_text(
            f"#!{sys.executable}\n"
            "import json, os, sys\n"
            f"asked = ' '.join(sys.argv[1:])\n"
            f"open({str(self._log)!r}, 'a').write(asked + chr(10))\n"
            f"if asked.startswith('compose'):\n"
            f"    json.dump(dict(os.environ), open({str(self._environment)!r}, 'w'))\n"
            f"answers = json.load(open({str(self._answers)!r}))\n"
            "said = [answer for words, answer in answers.items() if asked.startswith(words)]\n"
            "code, out, err = said[0] if said else (0, '', '')\n"
            "sys.stdout.write(out); sys.stderr.write(err); sys.exit(code)\n"
        )
        program.chmod(0o755)

    def says(self, words: str, out: str = "", code: int = 0, err: str = "") -> None:
        answers = json.loads(self._answers.read_text())
        self._answers.write_text(json.dumps({**answers, words: [code, out, err]}))

    def runs(self, *described: dict[str, Any]) -> None:
        self.says("ps", "".join(f"id{number}\n" for number, _ in enumerate(described)))
        self.says("inspect", json.dumps(described))

    @property
    def asked(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []

    @property
    def environment(self) -> dict[str, str]:
        """Of the last `docker compose`."""
        environment: dict[str, str] = json.loads(self._environment.read_text())
        return environment


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return Engine(folder)


def described(service: str = "order-service", number: int = 1, **state: Any) -> dict[str, Any]:
    labels = {
        "com.docker.compose.service": service,
        "com.docker.compose.container-number": str(number),
    }
    usual = {
        "Status": "running",
        "Running": True,
        "Paused": False,
        "Restarting": False,
        "OOMKilled": False,
        "Pid": 77,
        "ExitCode": 0,
        "Error": "",
        "StartedAt": "2026-11-21T19:47:16.241123456Z",
    }
    return {
        "Name": f"/fusebox-{service}-{number}",
        "Config": {"Labels": labels},
        "State": {**usual, **state},
    }


def exited(code: int, **more: Any) -> dict[str, Any]:
    return described(Status="exited", Running=False, Pid=0, ExitCode=code, **more)


def test_containers_are_instances_by_their_numbers(shop: Stack, docker: Engine) -> None:
    docker.runs(described(number=1), described(number=2), described("ops"), described("topics"))

    states = Containers(shop).states()

    assert sorted(states) == ["order-service-1", "order-service-2"]
    assert states["order-service-2"].host == "fusebox-order-service-2"
    assert states["order-service-1"].is_running


def test_a_killed_container_is_told_from_a_stopped_one(shop: Stack, docker: Engine) -> None:
    docker.runs(exited(137))
    assert Containers(shop).states()["order-service-1"].ended_by == "killed"

    docker.runs(exited(0))
    state = Containers(shop).states()["order-service-1"]
    assert (state.ended_by, state.is_running, state.pid) == ("stopped", False, 0)


def test_a_container_that_was_never_started_was_not_broken(shop: Stack, docker: Engine) -> None:
    docker.runs(described(Status="created", Running=False, Pid=0))

    state = Containers(shop).states()["order-service-1"]

    assert (state.ended_by, state.reason) == ("", "was never started")


def test_want_of_memory_is_told(shop: Stack, docker: Engine) -> None:
    docker.runs(exited(137, OOMKilled=True))

    assert "for want of memory" in Containers(shop).states()["order-service-1"].reason


def test_one_that_starts_again_and_again_does_not_run(shop: Stack, docker: Engine) -> None:
    docker.runs(described(Status="restarting", Restarting=True, ExitCode=1))

    state = Containers(shop).states()["order-service-1"]

    assert not state.is_running
    assert "again and again" in state.reason


def test_only_what_is_paused_is_let_go_on(shop: Stack, docker: Engine) -> None:
    docker.runs(described(Paused=True, Status="paused"), described(number=2))

    assert Containers(shop).resume("order-service-1")
    assert not Containers(shop).resume("order-service-2")
    assert [command for command in docker.asked if command.startswith("unpause")] == [
        f"unpause {shop.project}-order-service-1"
    ]


def test_a_throttle_holds_for_one_life_of_its_container(shop: Stack, docker: Engine) -> None:
    kafka, containers = BY_NAME["kafka"], Containers(shop)
    docker.runs(described("kafka"))
    containers.throttle(kafka, 500)
    assert containers.halt_of(containers.states(), kafka) == 500

    docker.runs(described("kafka", StartedAt="2026-11-21T20:00:00.5Z"))
    assert containers.halt_of(containers.states(), kafka) == 0
    assert not containers.release(kafka)


def test_memory_is_read_in_the_engines_units(shop: Stack, docker: Engine) -> None:
    docker.runs(described(), described("kafka"))
    docker.says(
        "stats",
        "fusebox-order-service-1 23.5MiB / 256MiB\nfusebox-kafka-1 1.5GiB / 2GiB\n",
    )
    containers = Containers(shop)

    assert containers.memory(containers.states().values()) == {
        "order-service-1": int(23.5 * 2**20),
        "kafka-1": int(1.5 * 2**30),
    }


def test_down_has_replicas_and_canaries_forgotten_while_somebody_can(
    shop: Stack, docker: Engine
) -> None:
    docker.runs({**described(), "Mounts": []})

    assert startup.down(shop)

    names = [command.partition(" -")[0] for command in docker.asked]
    assert names.index("exec") < names.index("compose")
    assert docker.asked[names.index("compose")].endswith(" down")


def test_down_leaves_no_nameless_volume_and_keeps_the_named(shop: Stack, docker: Engine) -> None:
    nameless = "5" * 64
    mounts = [
        {"Type": "volume", "Name": nameless},
        {"Type": "volume", "Name": "fusebox_postgres"},
        {"Type": "bind", "Source": "/config"},
    ]
    docker.runs({**described(), "Mounts": mounts})

    assert startup.down(shop)

    assert [command for command in docker.asked if command.startswith("volume")] == [
        f"volume rm --force {nameless}"
    ]


def test_a_new_instance_is_scaled_from_those_there_are(shop: Stack, docker: Engine) -> None:
    docker.runs(described(number=1), described(number=2))

    with pytest.raises(Fault, match="another number than 3"):
        Containers(shop).add(BY_NAME["order-service"], 3)

    assert any(
        command.endswith("--scale order-service=3 order-service") for command in docker.asked
    )
    assert "FUSEBOX_CANARY" not in docker.environment


def test_a_canary_is_told_that_it_is_one(shop: Stack, docker: Engine) -> None:
    docker.runs(described(number=1), described(number=2))

    Containers(shop).add(BY_NAME["order-service"], 2, {"FUSEBOX_CANARY": "true"})

    assert docker.environment["FUSEBOX_CANARY"] == "true"


def test_without_docker_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(Fault, match="no program `docker`") as raised:
        compose.refuse_unfit()

    assert "make up" in raised.value.remedy
    assert raised.value.exit_code == 1


def test_an_engine_that_is_away_is_told_in_its_own_words(docker: Engine) -> None:
    docker.says("version", code=1, err="Cannot connect to the Docker daemon\n")

    with pytest.raises(Fault, match="does not answer") as raised:
        compose.refuse_unfit()

    assert "Cannot connect" in raised.value.where


@pytest.mark.parametrize(
    ("server", "plugin", "message"),
    [
        ("20.10.24\n", "2.26.1\n", "Docker Engine is 20.10"),
        ("26.1.5+dfsg1\n", "2.17.2\n", "docker compose is 2.17"),
        ("26.1.5\n", "", "no `docker compose`"),
    ],
)
def test_what_is_too_old_is_refused(docker: Engine, server: str, plugin: str, message: str) -> None:
    docker.says("version", server)
    docker.says("compose version", plugin, code=0 if plugin else 1)

    with pytest.raises(Fault, match=message):
        compose.refuse_unfit()


def test_what_is_new_enough_is_taken(docker: Engine) -> None:
    docker.says("version", "26.1.5+dfsg1\n")
    docker.says("compose version", "v2.26.1-4\n")

    compose.refuse_unfit()


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("Bind for 127.0.0.1:8000 failed: port is already allocated", "FUSEBOX_PORT_OFFSET"),
        ("Error: No such image: fusebox/gateway:9", "docker compose build"),
        ("database files are incompatible with server", "make clean MODE=docker"),
        ("order-service-1: ended with exit status 137 for want of memory", "2 GB"),
        ("Get https://registry/v2/: dial tcp: lookup registry: no such host", "POSTGRES_IMAGE"),
        ('password authentication failed for user "order_service"', "another clone"),
        ("something nobody has seen", "make doctor"),
    ],
)
def test_the_engines_commoner_words_have_a_remedy(said: str, remedy: str) -> None:
    assert remedy in _remedy(said)


def test_of_containers_only_what_is_published_is_reached_from_here(shop: Stack) -> None:
    assert shop.url("gateway") == "http://127.0.0.1:8000"
    assert shop.url("discovery") == "http://discovery:8761"
    assert shop.address("postgres") == ("postgres", 5432)
    assert set(shop.ports) == {"gateway", "panel", "zipkin"}


def test_two_homes_are_two_projects(shop: Stack) -> None:
    assert shop.project == f"fusebox-{shop.key}"
    default = Stack.from_environment({"FUSEBOX_MODE": "docker"})
    assert default.project == "fusebox"
    assert default.secrets == default.clone / "deploy" / "docker" / "secrets" / "ops"
