"""Calls between the shop's own processes go through no proxy."""

import re
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from chassis.config.client import ConfigClient
from chassis.config.settings import Settings
from chassis.core.environment import Environment
from chassis.core.internal_http import internal_session
from chassis.runtime.service import Process

ROOT = Path(__file__).parents[4]
MEMBERS = ("chassis", "config-server", "discovery", "gateway", "services")
OTHER_DOORS = re.compile(r"requests\.(get|post|put|delete|request|Session)\(|trust_env|urlopen\(")


class Answering(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of one, in an environment with a proxy that refuses everything."""
    server = HTTPServer(("127.0.0.1", 0), Answering)
    Thread(target=server.serve_forever, daemon=True).start()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return f"http://127.0.0.1:{server.server_port}"


def test_a_proxy_in_the_environment_is_not_asked_for_a_process_of_ours(process: str) -> None:
    with internal_session() as session:
        assert session.get(process, timeout=5).status_code == 204


def test_a_bus_refresh_reaches_config_server_past_a_proxy(process: str, tmp_path: Path) -> None:
    variables = {"FUSEBOX_STATE": str(tmp_path), "CONFIG_SERVER_URL": process}
    environment = Environment.read("order-service", variables)
    running = Process(environment, ConfigClient(Settings, environment, lambda: []))

    assert running.actuator.answer("POST", "busrefresh").status == 204


def test_no_other_session_is_made() -> None:
    made = [
        str(path.relative_to(ROOT))
        for member in MEMBERS
        for path in ROOT.glob(f"{member}/**/src/**/*.py")
        if OTHER_DOORS.search(path.read_text())
    ]

    assert made == ["chassis/src/chassis/core/internal_http.py"]
