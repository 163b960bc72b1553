"""Who may call a service directly: the services that the topology names, and nobody else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from chassis.config.client import ConfigClient
from chassis.config.settings import Settings
from chassis.core.environment import Environment
from chassis.identity.assertions import OwnIdentity
from chassis.runtime.flask import create_app, for_anybody
from chassis.runtime.service import Process
from fusebox.core.topology import BY_NAME, IDENTITIES

from ...identities import made_secrets

SERVICE = "order-service"
CALLERS = BY_NAME[SERVICE].called_by


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Process[Any]:
    folder = tmp_path_factory.mktemp("service")
    secrets = made_secrets(folder)
    environment = Environment.read(
        SERVICE, {"FUSEBOX_SECRETS": str(secrets), "FUSEBOX_STATE": str(folder)}
    )
    configuration = ConfigClient(Settings, environment, lambda: [])
    configuration.load()
    return Process(environment, configuration)


@pytest.fixture(scope="module")
def client(process: Process[Any]) -> Iterator[FlaskClient]:
    app: Flask = create_app("service", process)

    @app.route("/things/<thing>", methods=["GET", "POST", "DELETE"])
    def thing(thing: str) -> str:
        return thing

    @app.get("/keys")
    @for_anybody
    def keys() -> str:
        return "keys"

    with app.test_client() as made:
        yield made


def shown(process: Process[Any], caller: str, called: str = SERVICE) -> dict[str, str]:
    return OwnIdentity(replace(process.environment, service=caller)).headers(called)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT"])
@pytest.mark.parametrize("path", ["/things/1", "/nothing", "/", "/keys/1", "/actuators"])
def test_a_stranger_is_refused_whatever_is_asked_for(
    client: FlaskClient, method: str, path: str
) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Service-Assertion": "x"}):
        answer = client.open(path, method=method, headers=headers)

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Service-Assertion"
        assert answer.content_type == "application/problem+json"
        assert method == "HEAD" or answer.get_json()["code"] == "service-unauthenticated"


@pytest.mark.parametrize("caller", IDENTITIES)
def test_a_service_gets_in_when_the_topology_says_so(
    client: FlaskClient, process: Process[Any], caller: str
) -> None:
    answer = client.get("/things/1", headers=shown(process, caller))

    if caller in CALLERS:
        assert (answer.status_code, answer.text) == (200, "1")
    else:
        assert (answer.status_code, answer.get_json()["code"]) == (403, "service-not-allowed")


def test_what_was_shown_to_another_service_is_of_no_use_here(
    client: FlaskClient, process: Process[Any]
) -> None:
    headers = shown(process, "gateway", "catalog-service")

    assert client.get("/things/1", headers=headers).status_code == 401


def test_two_assertions_are_none(client: FlaskClient, process: Process[Any]) -> None:
    [(name, value)] = shown(process, "gateway").items()

    assert client.get("/things/1", headers=[(name, value), (name, value)]).status_code == 401


@pytest.mark.parametrize("path", ["/actuator/../things/1", "/actuator%2f..%2fthings/1"])
def test_there_is_no_way_round_through_the_actuator(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_what_is_for_anybody_is_answered_to_anybody(client: FlaskClient) -> None:
    assert client.get("/keys").text == "keys"


@pytest.mark.parametrize("page", ["health", "health/liveness", "info", "prometheus", "loggers"])
def test_the_actuator_may_be_read_by_everybody(client: FlaskClient, page: str) -> None:
    assert client.get(f"/actuator/{page}").status_code == 200


@pytest.mark.parametrize(
    "page", ["refresh", "busrefresh", "loggers/root", "chaosmonkey/enable", "circuitbreakers/x"]
)
def test_a_process_is_changed_by_those_who_may_call_it(
    client: FlaskClient, process: Process[Any], page: str
) -> None:
    assert client.post(f"/actuator/{page}", json={}).status_code == 401
    stranger = client.post(f"/actuator/{page}", headers=shown(process, "discovery"), json={})
    assert stranger.status_code == 403
    operator = client.post(f"/actuator/{page}", headers=shown(process, "ops"), json={})
    assert operator.status_code not in (401, 403)
