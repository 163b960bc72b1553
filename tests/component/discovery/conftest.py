"""A real discovery on a free port with a clock that the test moves, and real replica processes."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from aiohttp import web

from chassis.identity.guests import GUEST
from discovery.app import DiscoveryServer
from discovery.registry.models import RegistryClock
from discovery.replication.peer_client import PeerSettings

from ...identities import PASSWORD, basic, made_secrets, platform_access

PATIENCE_SECONDS = 60
SERVICES = ("discovery", "order-service", "user-service", "ops")


def until(holds: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until `holds()` is true; a failing request counts as false."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except (requests.RequestException, ValueError, KeyError):
            pass
        assert time.monotonic() < deadline, "the condition never held"
        time.sleep(0.05)


@dataclass
class Discovery:
    """Discovery as a guest sees it; `get`, `post` … take paths below /eureka."""

    base: str = ""
    now: float = 1_000_000.0
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def address(self) -> str:
        """With name and password, as a foreign client is told it."""
        return self.base.replace("://", f"://{GUEST}:{PASSWORD}@")

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, f"{self.base}{path}", timeout=5, **options)

    def get(self, path: str, accept: str | None = "application/json") -> requests.Response:
        return self.call("GET", path, headers={"Accept": accept})

    def put(self, path: str) -> requests.Response:
        return self.call("PUT", path)

    def delete(self, path: str) -> requests.Response:
        return self.call("DELETE", path)

    def register(
        self, id_: str = "h:probe:1", app: str = "PROBE", **more: Any
    ) -> requests.Response:
        return self.call("POST", f"/apps/{app}", json=registration(id_, app, **more))

    def replicate(self, *members: Any) -> requests.Response:
        return self.call("POST", "/peerreplication/batch/", json={"replicationList": members})

    def names(self) -> list[str]:
        applications = self.get("/apps").json()["applications"]["application"]
        return [application["name"] for application in applications]

    def ids(self, app: str = "PROBE") -> set[str]:
        """The instances of `app`, or none; raises while discovery does not answer for them."""
        answer = self.get("/apps")
        answer.raise_for_status()
        return {
            instance["instanceId"]
            for application in answer.json()["applications"]["application"]
            for instance in application["instance"]
            if application["name"] == app
        }

    def instance(self, path: str) -> dict[str, Any]:
        instance: dict[str, Any] = self.get(path).json()["instance"]
        return instance


def registration(id_: str, app: str, **more: Any) -> dict[str, Any]:
    instance = {
        "instanceId": id_,
        "hostName": "127.0.0.1",
        "app": app,
        "ipAddr": "127.0.0.1",
        "dataCenterInfo": {"@class": "x", "name": "MyOwn"},
        "vipAddress": app.lower(),
        **more,
    }
    return {"instance": {key: value for key, value in instance.items() if value is not None}}


@contextmanager
def served(folder: Path, peer_settings: PeerSettings | None = None) -> Iterator[Discovery]:
    discovery = Discovery()
    discovery.session.headers.update(basic())
    clock = RegistryClock(lambda: discovery.now, lambda: discovery.now)
    app = DiscoveryServer(
        platform_access("discovery", folder, SERVICES),
        peer_settings=lambda: peer_settings or PeerSettings(),
        clock=clock,
        port=0,
    ).app
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    runner = web.AppRunner(app)
    port = asyncio.run_coroutine_threadsafe(_listen(runner), loop).result(5)
    discovery.base = f"http://127.0.0.1:{port}/eureka"
    try:
        with discovery.session:
            yield discovery
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _listen(runner: web.AppRunner) -> int:
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port: int = runner.addresses[0][1]
    return port


@pytest.fixture
def discovery(tmp_path: Path) -> Iterator[Discovery]:
    with served(tmp_path) as discovery:
        until(lambda: discovery.get("/apps").status_code == 200)
        yield discovery


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Replica(Discovery):
    """`python -m discovery.main`, one of several."""

    def __init__(self, port: int, config_server: str, state: Path) -> None:
        super().__init__(base=f"http://127.0.0.1:{port}/eureka")
        self.session.headers.update(basic())
        self.port = port
        self._environment = {
            **os.environ,
            "SERVER_PORT": str(port),
            "CONFIG_SERVER_URL": config_server,
            "FUSEBOX_INSTANCE": f"discovery-{port}",
            "FUSEBOX_SECRETS": str(state / "secrets"),
            "FUSEBOX_STATE": str(state / str(port)),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if self._process and self._process.poll() is None:
            return
        command = [sys.executable, "-m", "discovery.main"]
        self._process = subprocess.Popen(command, env=self._environment)

    def is_ready(self) -> bool:
        url = self.base.replace("/eureka", "/actuator/health/readiness")
        return requests.get(url, timeout=2).status_code == 200

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """The exit code."""
        assert self._process
        self._process.send_signal(number)
        return self._process.wait(20)

    def pause(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)

    def forget(self, app: str) -> None:
        for id_ in self.ids(app):
            self.delete(f"/apps/{app}/{id_}")

    def end(self) -> None:
        if self._process and self._process.poll() is None:
            self.resume()
            self.kill()


class _ConfigServer(BaseHTTPRequestHandler):
    properties: dict[str, Any] = {}

    def do_GET(self) -> None:
        body = json.dumps(
            {"propertySources": [{"name": "test", "source": type(self).properties}]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Replica]]:
    """Three replicas that know one another, not started yet."""
    folder = tmp_path_factory.mktemp("replicas")
    made_secrets(folder)
    ports = [free_port() for _ in range(3)]

    class Handler(_ConfigServer):
        properties = {
            "eureka.client.service-url.defaultZone": ",".join(
                f"http://127.0.0.1:{port}/eureka/" for port in ports
            ),
            "eureka.server.enable-self-preservation": False,
        }

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    processes = [Replica(port, url, folder) for port in ports]
    yield processes
    for replica in processes:
        replica.end()
        replica.session.close()
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def two(replicas: list[Replica]) -> list[Replica]:
    """The first two replicas, running, with nothing registered by earlier tests."""
    first, second, third = replicas
    third.end()
    for replica in (first, second):
        replica.start()
    for replica in (first, second):
        until(replica.is_ready)
    for app in ("PROBE", "FOREIGN"):
        first.forget(app)
        second.forget(app)
    until(
        lambda: (
            not any(replica.ids(app) for replica in (first, second) for app in ("PROBE", "FOREIGN"))
        )
    )
    return [first, second]
