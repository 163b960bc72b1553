"""The client of discovery against a server that may forget."""

import json
import threading
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import requests

from chassis.config.settings import Eureka
from chassis.core.environment import Environment
from chassis.core.live import Live
from chassis.discovery import client as registry
from chassis.discovery.client import DiscoveryClient

from ....identities import NO_IDENTITY


class Discovery:
    """Stands in for requests' session and the server behind it."""

    trust_env = True

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], dict[str, Any]] = {}

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        return request.prepare()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        method, url = request.method, str(request.url)
        answer = requests.Response()
        answer.status_code = 200
        path = url.partition("/eureka")[2].strip("/").split("/")
        if method == "POST":
            entry = json.loads(request.body or b"")["instance"]
            self.known[path[1], entry["instanceId"]] = entry
        elif method == "PUT" and (path[1], path[2]) not in self.known:
            answer.status_code = 404
        elif method == "DELETE":
            self.known.pop((path[1], path[2]), None)
        elif method == "GET" and len(path) == 3:
            answer._content = json.dumps({"instance": self.known[path[1], path[2]]}).encode()
        else:
            answer._content = json.dumps(self.document()).encode()
        return answer

    def document(self) -> dict[str, Any]:
        applications = [
            {"name": app, "instance": [entry]} for (app, _), entry in self.known.items()
        ]
        hash_code = f"UP_{len(self.known)}_" if self.known else ""
        return {"applications": {"apps__hashcode": hash_code, "application": applications}}

    def forget(self) -> None:
        self.known.clear()


@pytest.fixture
def discovery(monkeypatch: pytest.MonkeyPatch) -> Discovery:
    made = Discovery()
    monkeypatch.setattr(requests, "Session", lambda: made)
    return made


def unregistered(name: str, folder: Path, **variables: str) -> DiscoveryClient:
    environment = Environment.read(name, {"FUSEBOX_STATE": str(folder), **variables})
    made = DiscoveryClient(environment, Live(Eureka()), NO_IDENTITY)
    made.port = 5000
    return made


def client(name: str, folder: Path, **variables: str) -> DiscoveryClient:
    made = unregistered(name, folder, **variables)
    made._renew()
    return made


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, {"version": metadata.version("gateway")}),
        ({"FUSEBOX_VERSION": "7", "FUSEBOX_CANARY": "true"}, {"version": "7", "canary": "true"}),
    ],
)
def test_an_instance_registers_with_its_version_and_as_a_canary_if_it_is_one(
    discovery: Discovery, tmp_path: Path, variables: dict[str, str], expected: dict[str, str]
) -> None:
    client("gateway", tmp_path, **variables)

    metadata = discovery.known["GATEWAY", "gateway-1"]["metadata"]
    assert {key: metadata[key] for key in metadata.keys() - {"pid", "instance"}} == expected


def test_an_instance_that_discovery_forgot_registers_at_once_and_still_calls_the_others(
    discovery: Discovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway, order = client("gateway", tmp_path), client("order-service", tmp_path)
    gateway.fetch()

    discovery.forget()
    gateway.fetch()
    assert set(gateway.instances) == {"gateway", "order-service"}
    assert ("GATEWAY", "gateway-1") in discovery.known

    order.fetch()
    gateway.fetch()
    assert len(gateway.instances["order-service"]) == 1


def test_an_instance_that_registers_again_before_it_fetches_keeps_the_others_too(
    discovery: Discovery, tmp_path: Path
) -> None:
    gateway = client("gateway", tmp_path)
    client("order-service", tmp_path)
    gateway.fetch()

    discovery.forget()
    gateway._renew()
    gateway.fetch()
    assert set(gateway.instances) == {"gateway", "order-service"}


def test_after_an_outage_of_discovery_known_instances_stay_for_a_while(
    discovery: Discovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = client("gateway", tmp_path)
    client("order-service", tmp_path)
    gateway.fetch()

    with monkeypatch.context() as away:
        away.setattr(discovery, "send", _refuse)
        with pytest.raises(requests.ConnectionError):
            gateway.fetch()
    discovery.known = {key: entry for key, entry in discovery.known.items() if "GATEWAY" in key}
    gateway.fetch()
    assert set(gateway.instances) == {"gateway", "order-service"}


def _refuse(*_: object, **__: object) -> requests.Response:
    raise requests.ConnectionError("refused")


def test_an_instance_that_does_not_come_back_is_dropped(
    discovery: Discovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "FORGETFUL_SECONDS", 0.0)
    gateway = client("gateway", tmp_path)
    client("order-service", tmp_path)
    gateway.fetch()

    discovery.forget()
    gateway.fetch()
    gateway.fetch()
    assert set(gateway.instances) == {"gateway"}


def test_an_unchanged_registry_gives_the_same_snapshot(
    discovery: Discovery, tmp_path: Path
) -> None:
    gateway = client("gateway", tmp_path)
    gateway.fetch()
    gateway.fetch()
    before = gateway.instances
    gateway.fetch()
    assert gateway.instances is before

    client("order-service", tmp_path)
    gateway.fetch()
    assert set(gateway.instances) == {"gateway", "order-service"}


def test_an_instance_that_has_left_does_not_register_again(
    discovery: Discovery, tmp_path: Path
) -> None:
    gateway = client("gateway", tmp_path)
    gateway.leave()

    gateway.fetch()
    assert discovery.known == {}


def test_an_instance_that_leaves_late_does_not_take_its_successor_along(
    discovery: Discovery, tmp_path: Path
) -> None:
    orphan = client("catalog-service", tmp_path)
    [(key, entry)] = discovery.known.items()
    discovery.known[key] = {**entry, "metadata": {**entry["metadata"], "pid": "1"}}

    orphan.leave()

    assert discovery.known[key]["metadata"]["pid"] == "1"


class Stop(threading.Event):
    """Set when it was waited for twice; notes who was registered each time."""

    def __init__(self, discovery: Discovery, then: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.discovery, self.then = discovery, then
        self.seen: list[int] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seen.append(len(self.discovery.known))
        self.then()
        if len(self.seen) == 2:
            self.set()
        return self.is_set()


def test_an_instance_registers_only_when_it_is_prepared_to_answer(
    discovery: Discovery, tmp_path: Path
) -> None:
    keys: list[str] = []
    order = unregistered("order-service", tmp_path)
    order.is_prepared = lambda: bool(keys)
    stop = Stop(discovery, then=lambda: keys.append("key"))

    order.keep_lease(stop)

    assert stop.seen == [0, 1]


def test_an_instance_registers_after_a_while_even_if_it_is_not_prepared(
    discovery: Discovery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "PREPARING_SECONDS", 0)
    order = unregistered("order-service", tmp_path)
    order.is_prepared = lambda: False
    stop = Stop(discovery)

    order.keep_lease(stop)

    assert stop.seen == [1, 1]
