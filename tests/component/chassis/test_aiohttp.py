"""Requests of processes under aiohttp are counted by route and traced."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from chassis.config.client import ConfigClient
from chassis.config.settings import Settings
from chassis.core.environment import Environment
from chassis.core.internal_http import UNSAMPLED
from chassis.runtime.aiohttp import add_actuator
from chassis.runtime.service import Process
from config_server.app import create_app
from config_server.backends.folder import FolderBackend
from config_server.http.api import template_of
from discovery.app import DiscoveryServer

from ...identities import basic, platform_access

TRACE = "463ac35c9f6413ad48485a3953bb6124"


class Observed:
    """A process with an application, and the spans that it would send."""

    def __init__(self, state: Path, app: web.Application, template: Any = None) -> None:
        environment = Environment.read("discovery", {"FUSEBOX_STATE": str(state)})
        configuration = ConfigClient(Settings, environment, lambda: [])
        configuration.load()
        self.process = Process(environment, configuration)
        self.spans: list[Any] = []
        self.process.tracer._sink = self.spans.append
        self.app = app
        add_actuator(app, self.process, template)

    def ask(self, *requests: tuple[str, str], **headers: str) -> list[int]:
        async def ask_all() -> list[int]:
            async with TestClient(TestServer(self.app)) as client:
                answers = [await client.request(*request, headers=headers) for request in requests]
                return [answer.status for answer in answers]

        return asyncio.run(ask_all())

    def counted(self) -> set[tuple[str, str, str, str]]:
        lines = self.process.metrics.exposition().decode()
        pattern = (
            r'http_server_requests_seconds_count\{method="(\w+)",outcome="(\w+)",'
            r'status="(\d+)",uri="([^"]+)"\}'
        )
        return {
            (method, uri, status, outcome)
            for method, outcome, status, uri in re.findall(pattern, lines)
        }


@pytest.fixture
def discovery(tmp_path: Path) -> Observed:
    return Observed(tmp_path, DiscoveryServer(platform_access("discovery", tmp_path), port=0).app)


@pytest.fixture
def config_server(tmp_path: Path) -> Observed:
    (tmp_path / "a.yml").write_text("a: 1\n")
    return Observed(tmp_path, create_app(FolderBackend(tmp_path)), template_of)


def test_requests_of_discovery_are_counted_by_route(discovery: Observed) -> None:
    discovery.ask(
        ("GET", "/eureka/apps/"),
        ("GET", "/eureka/apps/PROBE/h:1"),
        ("POST", "/eureka/apps/PROBE"),
        ("GET", "/none"),
        ("GET", "/actuator/info"),
        **basic(),
    )

    assert discovery.counted() == {
        ("GET", "/eureka/apps", "200", "SUCCESS"),
        ("GET", "/eureka/apps/{app}/{id}", "404", "CLIENT_ERROR"),
        ("POST", "/eureka/apps/{app}", "415", "CLIENT_ERROR"),
        ("GET", "unknown", "404", "CLIENT_ERROR"),
        ("GET", "/actuator/{page}", "200", "SUCCESS"),
    }


def test_requests_of_config_server_are_counted_by_spring_s_templates(
    config_server: Observed,
) -> None:
    config_server.ask(
        ("GET", "/a/dev"),
        ("GET", "/a/dev/main"),
        ("GET", "/a-dev.yml"),
        ("GET", "/main/a-dev.json"),
        ("GET", "/a/dev/main/x/y.txt"),
        ("GET", "/a/dev/y.txt?useDefaultLabel"),
        ("GET", "/a"),
        ("GET", "/a/x%00"),
        ("GET", "/encrypt/status"),
        ("DELETE", "/a/dev"),
    )

    assert {(uri, status) for _, uri, status, _ in config_server.counted()} == {
        ("/{name}/{profiles}", "200"),
        ("/{name}/{profiles}/{label}", "200"),
        ("/{name}-{profiles}.yml", "200"),
        ("/{label}/{name}-{profiles}.json", "200"),
        ("/{name}/{profiles}/{label}/{path}", "404"),
        ("/{name}/{profiles}/{path}", "404"),
        ("unknown", "404"),
        ("unknown", "400"),
        ("/encrypt/status", "404"),
        ("unknown", "405"),
    }


def test_a_request_continues_the_caller_s_trace(discovery: Observed) -> None:
    discovery.ask(("GET", "/eureka/apps"), b3=f"{TRACE}-05e3ac9a4f6e3b90-1")

    [span] = discovery.spans
    assert (span.trace_id, span.parent_id) == (TRACE, "05e3ac9a4f6e3b90")
    assert (span.name, span.kind.value) == ("get /eureka/apps", "SERVER")
    assert span.tags == {
        "http.status_code": "200",
        "http.path": "/eureka/apps",
        "instance": "discovery-1",
    }


def test_calls_in_rhythm_and_the_actuator_are_not_traced(discovery: Observed) -> None:
    discovery.ask(("GET", "/eureka/apps/delta"), ("GET", "/actuator/info"), **UNSAMPLED)

    assert discovery.spans == []
    assert len(discovery.counted()) == 2


def test_an_error_of_the_server_is_an_error_of_the_span(
    config_server: Observed, tmp_path: Path
) -> None:
    (tmp_path / "broken.yml").write_text("a: [\n")

    assert config_server.ask(("GET", "/broken/dev"), ("GET", "/none")) == [500, 404]

    failed, refused = config_server.spans
    assert failed.tags["error"] == "500"
    assert "error" not in refused.tags
