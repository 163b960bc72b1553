"""The real process: started, its files edited, queried over HTTP, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import pytest
import requests
from sqlalchemy import Engine

from chassis.core.environment import Environment
from chassis.identity.assertions import OwnIdentity

from ...identities import PASSWORD, basic, made_secrets
from .conftest import put

SHARED = """
eureka.client.service-url.defaultZone: http://127.0.0.1:1/eureka/
management.zipkin.tracing.endpoint: http://127.0.0.1:1/
"""
PATIENCE_SECONDS = 60  # for a busy machine

Start = Callable[..., AbstractContextManager["Running"]]


@dataclass
class Running:
    home: Path
    port: int
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.home / "log").read_text()

    def get(self, path: str) -> requests.Response:
        return self.ask("GET", path, basic())

    def ask(
        self, method: str, path: str, headers: dict[str, str], **given: Any
    ) -> requests.Response:
        url = f"http://127.0.0.1:{self.port}{path}"
        return requests.request(method, url, headers=headers, timeout=5, **given)

    def component(self, name: str) -> dict[str, Any]:
        health: dict[str, Any] = self.get("/actuator/health").json()["components"][name]
        return health


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def answers(running: Running) -> bool:
    assert running.process.poll() is None, running.log
    try:
        return running.get("/actuator/health/readiness").status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def leaving() -> Iterator[list[subprocess.Popen[bytes]]]:
    """Processes that were asked to stop: they shut down gracefully while the next test begins."""
    processes: list[subprocess.Popen[bytes]] = []
    yield processes
    assert {process.wait(30) for process in processes} == {0}


@pytest.fixture
def start(leaving: list[subprocess.Popen[bytes]], tmp_path: Path) -> Start:
    return lambda **files: started(tmp_path, leaving, files)


@pytest.fixture(scope="module")
def shared(
    leaving: list[subprocess.Popen[bytes]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One for all tests that change nothing."""
    with started(tmp_path_factory.mktemp("shared"), leaving, {"probe": "a: 1\n"}) as running:
        yield running


@contextmanager
def started(
    home: Path, leaving: list[subprocess.Popen[bytes]], files: dict[str, str]
) -> Iterator[Running]:
    config = home / "config"
    config.mkdir(exist_ok=True)
    for name, text in {"application": SHARED, **files}.items():
        (config / f"{name}.yml").write_text(text)
    made_secrets(home)
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {
        **os.environ,
        "CONFIG_SERVER_LOCATION": str(config),
        "CONFIG_SERVER_PORT": str(port),
        "FUSEBOX_PROFILE": "native",
        "FUSEBOX_SECRETS": str(home / "secrets"),
        "FUSEBOX_STATE": str(home / "state"),
    }
    command = [sys.executable, "-m", "config_server.main"]
    with (home / "log").open("ab") as log:
        process = subprocess.Popen(command, env=variables, stderr=log)
    leaving.append(process)
    running = Running(home, port, process)
    try:
        until(lambda: answers(running))
        yield running
    finally:
        process.send_signal(signal.SIGTERM)


def test_an_edit_is_noticed_and_a_broken_file_is_reported_and_survives_a_restart(
    tmp_path: Path, start: Start
) -> None:
    probe = tmp_path / "config" / "probe.yml"
    with start(probe="a: 1\n") as running:
        assert running.component("files")["status"] == "UP"
        until(lambda: "the configuration of all has changed" in running.log)
        probe.write_text("a: 22\n")
        announced = "the configuration of probe has changed"
        until(lambda: announced in running.log)
        assert running.get("/probe/native").json()["propertySources"][0]["source"] == {"a": 22}

        probe.write_text("a: 22\n  b: 3\n")
        files = running.component("files")
        assert files["status"] == "DOWN"
        assert "probe.yml, line 2" in files["details"]["broken"]["probe.yml"]
        assert running.get("/actuator/health").status_code == 200
    running.process.wait(30)

    with start(probe="a: 22\n  b: 3\n") as running:
        assert running.get("/probe/native").json()["propertySources"][0]["source"] == {"a": 22}
        assert running.component("files")["status"] == "DOWN"


def test_the_key_of_the_secrets_is_used_and_secrets_are_masked(
    tmp_path: Path, start: Start
) -> None:
    secrets = made_secrets(tmp_path)
    (secrets / "encrypt-key").write_text("a-key-for-the-reference-server-only\n")
    cipher = "301d8c1c271a5ad85a92bcc53be169a2f68dbaace5b9ae990f7991a1f3cd7542"
    own = f"some.password: '{{cipher}}{cipher}'\nencrypt.salt: deadbeef\n"
    with start(**{"config-server": own}) as running:
        assert running.get("/encrypt/status").json() == {"status": "OK"}
        assert running.get("/config-server-native.json").json()["some"] == {"password": "secret"}
        shown = running.get("/actuator/env").text
        assert '"some.password": {"value": "******"}' in shown


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/probe/native"),
        ("GET", "/order-service-native.yml"),
        ("GET", "/probe/native/main/file.txt"),
        ("GET", "//probe/native"),
        ("GET", "/actuator/../probe/native"),
        ("GET", "/actuator/health/../../probe/native"),
        ("HEAD", "/probe/native"),
        ("OPTIONS", "/probe/native"),
        ("GET", "/key"),
        ("GET", "/encrypt/status"),
        ("POST", "/encrypt"),
        ("POST", "/decrypt"),
        ("POST", "/monitor"),
        ("POST", "/"),
        ("GET", "/actuator"),
        ("GET", "/actuator/env"),
        ("GET", "/actuator/env/some.password"),
        ("GET", "/actuator/prometheus"),
        ("POST", "/actuator/refresh"),
        ("POST", "/actuator/health"),
        ("POST", "/actuator/busrefresh"),
        ("GET", "/nothing"),
    ],
)
def test_who_shows_no_credentials_or_wrong_ones_is_refused(
    shared: Running, method: str, path: str
) -> None:
    wrong = [
        {},
        {"Authorization": ""},
        {"Authorization": "Basic"},
        {"Authorization": "Basic !"},
        {"Authorization": f"Bearer {PASSWORD}"},
        basic(password="wrong"),
        basic(password=""),
        basic(name="admin"),
        basic(name="", password=""),
        {"Service-Assertion": "a.b.c"},
    ]
    for headers in wrong:
        answer = shared.ask(method, path, headers, data="x")

        # So many wrong ones in so short a time are not looked at any more.
        assert answer.status_code in (401, 429), (headers, answer.status_code)
        challenge = answer.headers.get("WWW-Authenticate")
        assert challenge == 'Basic realm="config-server", charset="UTF-8"' or (
            answer.status_code == 429 and answer.headers["Retry-After"] == "1"
        )
        assert PASSWORD not in answer.text
    assert PASSWORD not in shared.log


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/actuator/health",
        "/actuator/health/liveness",
        "/actuator/health/readiness",
        "/actuator/info",
    ],
)
def test_whether_it_is_well_is_for_everybody(shared: Running, path: str) -> None:
    assert shared.ask("GET", path, {"Accept": "text/html"}).status_code == 200


def test_a_service_reads_its_configuration_by_its_own_identity(shared: Running) -> None:
    environment = Environment.read(
        "order-service", {"FUSEBOX_SECRETS": str(shared.home / "secrets")}
    )
    own = OwnIdentity(environment)

    assert shared.ask("GET", "/probe/native", own.headers("config-server")).ok
    # What it shows to another one is of no use here.
    assert shared.ask("GET", "/probe/native", own.headers("discovery")).status_code == 401


def test_who_was_right_before_is_not_held_up_by_those_who_are_wrong(shared: Running) -> None:
    assert shared.get("/probe/native").ok
    statuses = {
        shared.ask("GET", "/probe/native", basic(password=str(number))).status_code
        for number in range(80)
    }

    assert statuses <= {401, 429}
    assert 429 in statuses
    assert shared.get("/probe/native").ok


def test_a_git_repository_is_served_and_watched(tmp_path: Path, start: Start) -> None:
    repository = tmp_path / "repository"

    def git(*arguments: str) -> None:
        name = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(["git", *name, "-C", str(repository), *arguments], check=True)

    def commit(text: str) -> None:
        (repository / "probe.yml").write_text(text)
        git("add", ".")
        git("commit", "--quiet", "-m", "x")

    repository.mkdir()
    git("init", "--quiet", "--initial-branch=main")
    commit("a: 1\n")
    own = f"""
spring.profiles.active: git
spring.cloud.config.server.git.uri: file://{repository}
"""
    with start(**{"config-server": own}) as running:
        document = running.get("/probe/native").json()
        assert len(document["version"]) == 40
        assert document["propertySources"][0]["source"] == {"a": 1}
        until(lambda: "the configuration of all has changed" in running.log)
        commit("a: 2\n")
        announced = "the configuration of probe has changed"
        until(lambda: announced in running.log)
        assert running.get("/probe-native.yml").text == "a: 2\n"


def test_a_table_before_a_folder_is_served_and_watched(
    tmp_path: Path, engine: Engine, start: Start
) -> None:
    url, secrets = engine.url, made_secrets(tmp_path)
    (secrets / "config-server-db-password").write_text(str(url.password))
    put(engine, ("probe", "native", "master", "a", "1"))
    own = f"""
spring:
  profiles.active: composite
  cloud.config.server.composite:
    - type: jdbc
    - {{type: native, search-locations: "file:{tmp_path}/config"}}
  datasource:
    url: jdbc:postgresql://{url.host}:{url.port}/{url.database}
    username: {url.username}
"""
    with start(probe="a: 0\n", **{"config-server": own}) as running:
        sources = running.get("/probe/native").json()["propertySources"]
        assert [source["source"] for source in sources[:2]] == [{"a": "1"}, {"a": 0}]
        until(lambda: "the configuration of all has changed" in running.log)
        put(engine, ("probe", "native", "master", "b", "2"))
        announced = "the configuration of probe has changed"
        until(lambda: announced in running.log)
        assert running.get("/probe-native.properties").text.startswith("a: 1\nb: 2\n")
        assert str(url.password) not in running.get("/actuator/health").text


def test_an_impossible_back_end_is_reported_at_the_start(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "config-server.yml").write_text("spring.profiles.active: git\n")
    variables = {
        **os.environ,
        "CONFIG_SERVER_LOCATION": str(config),
        "FUSEBOX_STATE": str(tmp_path),
        "FUSEBOX_PROFILE": "native",
    }

    ended = subprocess.run(
        [sys.executable, "-m", "config_server.main"], env=variables, capture_output=True, text=True
    )

    assert ended.returncode == 1
    assert "cannot start: spring.cloud.config.server.git.uri is missing" in ended.stderr


def test_a_process_of_the_shop_hears_which_values_are_encrypted_and_nobody_else(
    tmp_path: Path, start: Start
) -> None:
    with start(probe="a: 1\nb: '{cipher}00'\n") as running:
        encrypted = running.ask("POST", "/encrypt", basic(), data="hunter22").text
        (tmp_path / "config" / "probe.yml").write_text(f"a: 1\nb: '{{cipher}}{encrypted}'\n")
        secrets = {"FUSEBOX_SECRETS": str(tmp_path / "secrets")}
        own = OwnIdentity(Environment.read("order-service", secrets)).headers("config-server")

        def source(headers: dict[str, str]) -> Any:
            document = running.ask("GET", "/probe/native", headers).json()
            return document["propertySources"][0]

        until(lambda: source(basic())["source"] == {"a": 1, "b": "hunter22"})
        assert "encrypted" not in source(basic())
        assert source(own)["source"] == {"a": 1, "b": "hunter22"}
        assert source(own)["encrypted"] == ["b"]
