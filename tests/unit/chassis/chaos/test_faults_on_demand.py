"""The actuator's endpoints that change something: circuit breakers and assaults."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from chassis.actuator.endpoints import ActuatorResponse
from chassis.chaos import kill_points
from chassis.config.client import ConfigClient
from chassis.config.settings import Settings
from chassis.core.environment import Environment
from chassis.runtime.service import Process

MONKEY = "chaosmonkey/assaults"


def process(state: Path, **keys: Any) -> Process[Settings]:
    environment = Environment.read("set_assaults-service", {"FUSEBOX_STATE": str(state)})
    configuration = ConfigClient(Settings, environment, lambda: [{"name": "x", "source": keys}])
    configuration.load()
    return Process(environment, configuration)


@pytest.fixture
def with_monkey(tmp_path: Path) -> Process[Settings]:
    return process(tmp_path, **{"chaos.monkey.enabled": True})


def document_of(response: ActuatorResponse, status: int = 200) -> dict[str, Any]:
    assert response.status == status, response.body
    document: dict[str, Any] = json.loads(response.body)
    return document


def set_assaults(process: Process[Settings], status: int = 200, **assaults: Any) -> dict[str, Any]:
    return document_of(
        process.actuator.answer("POST", MONKEY, json.dumps(assaults).encode()), status
    )


def test_without_configuration_there_is_no_monkey(tmp_path: Path) -> None:
    unconfigured = process(tmp_path)

    for path in ("chaosmonkey", MONKEY, "chaosmonkey/status"):
        assert document_of(unconfigured.actuator.answer("GET", path), 404)["code"] == "not-found"
    assert set_assaults(unconfigured, 404, latencyActive=True)["code"] == "not-found"
    assert unconfigured.monkey.next_assault() is None


def test_assaults_change_by_the_keys_that_are_sent_and_no_others(
    with_monkey: Process[Settings],
) -> None:
    set_assaults(with_monkey, latencyActive=True, latencyRangeStart=5, latencyRangeEnd=5)
    set_assaults(with_monkey, exceptionsActive=True)

    whole = document_of(with_monkey.actuator.answer("GET", "chaosmonkey"))
    assert whole["chaosMonkeyProperties"] == {"enabled": True}
    assert (
        whole["assaultProperties"] | {"level": 1, "latencyActive": True}
        == (whole["assaultProperties"])
    )
    attack = with_monkey.monkey.next_assault()
    assert attack is not None
    assert attack.delay == pytest.approx(0.005)
    assert attack.fails


@pytest.mark.parametrize(
    "wrong",
    [
        {"latencyRangeStart": 3, "latencyRangeEnd": 2},
        {"exceptionRate": 1.5},
        {"level": 0},
        {"killAt": "lunch"},
        {"latency": 3},
    ],
)
def test_invalid_assaults_are_refused_and_change_nothing(
    with_monkey: Process[Settings], wrong: dict[str, Any]
) -> None:
    before = with_monkey.monkey.assaults()

    assert set_assaults(with_monkey, 422, **wrong)["errors"]
    assert with_monkey.monkey.assaults() == before


def test_the_exception_rate_is_the_share_of_requests_that_fail(
    with_monkey: Process[Settings],
) -> None:
    set_assaults(with_monkey, exceptionsActive=True, exceptionRate=0.5)

    fails = sum(bool(attack and attack.fails) for attack in map(_attack, [with_monkey] * 2000))
    assert 800 < fails < 1200


def _attack(process: Process[Settings]) -> Any:
    return process.monkey.next_assault()


def test_a_disabled_monkey_assaults_no_request(with_monkey: Process[Settings]) -> None:
    set_assaults(with_monkey, latencyActive=True)

    assert document_of(with_monkey.actuator.answer("POST", "chaosmonkey/disable")) == {
        "status": "You switched me off!"
    }
    assert with_monkey.monkey.next_assault() is None
    with_monkey.actuator.answer("POST", "chaosmonkey/enable")
    assert with_monkey.monkey.next_assault() is not None


def test_a_process_dies_only_at_the_kill_point_that_was_armed(
    with_monkey: Process[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _signal: killed.append(pid))
    set_assaults(with_monkey, killAt=kill_points.AFTER_COMMIT)

    kill_points.kill_point(kill_points.BEFORE_COMMIT)
    assert not killed
    kill_points.kill_point(kill_points.AFTER_COMMIT)
    assert len(killed) == 1

    set_assaults(with_monkey, killAt=None)
    kill_points.kill_point(kill_points.AFTER_COMMIT)
    assert len(killed) == 1


def test_a_circuit_breaker_is_forced_open_disabled_and_closed_by_post(
    with_monkey: Process[Settings],
) -> None:
    breaker = with_monkey.breakers.of("catalog-service")
    path = "circuitbreakers/catalog-service"

    for state, shown in (
        ("FORCE_OPEN", "FORCED_OPEN"),
        ("DISABLE", "DISABLED"),
        ("CLOSE", "CLOSED"),
    ):
        update = json.dumps({"updateState": state}).encode()
        assert (
            document_of(with_monkey.actuator.answer("POST", path, update))["currentState"] == shown
        )
        assert (
            document_of(with_monkey.actuator.answer("GET", path))["state"] == breaker.state == shown
        )

    events = document_of(with_monkey.actuator.answer("GET", "circuitbreakerevents/catalog-service"))
    assert [event["stateTransition"] for event in events["circuitBreakerEvents"]] == [
        "CLOSED_TO_FORCED_OPEN",
        "FORCED_OPEN_TO_DISABLED",
        "DISABLED_TO_CLOSED",
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("circuitbreakers/nobody", b'{"updateState": "CLOSE"}', 404),
        ("circuitbreakers/catalog-service", b'{"updateState": "MELT"}', 422),
        ("circuitbreakers/catalog-service", b"", 422),
        ("circuitbreakers", b"", 405),
        ("nothing/here", b"", 404),
    ],
)
def test_an_invalid_update_is_refused_with_a_problem_document(
    with_monkey: Process[Settings], path: str, body: bytes, status: int
) -> None:
    with_monkey.breakers.of("catalog-service")

    response = with_monkey.actuator.answer("POST", path, body)

    assert document_of(response, status)["status"] == status
    assert response.content_type == "application/problem+json"


@pytest.mark.parametrize("path", ["loggers/x", "chaosmonkey/assaults", "circuitbreakers/x"])
@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"level": 1, "level": 2}', b'{"level": NaN}', b"\xff", b"{"]
)
def test_ambiguous_or_broken_json_is_the_callers_error_at_each_endpoint(
    with_monkey: Process[Settings], path: str, body: bytes
) -> None:
    with_monkey.breakers.of("x")

    response = with_monkey.actuator.answer("POST", path, body)

    assert document_of(response, 400)["code"] == "malformed-request"


@pytest.mark.parametrize("level", ["5", '"LOUD"', "{}", "[]", "true", '"\\u0000"'])
def test_a_level_that_is_none_is_the_callers_error(
    with_monkey: Process[Settings], level: str
) -> None:
    body = f'{{"configuredLevel": {level}}}'.encode()

    assert with_monkey.actuator.answer("POST", "loggers/x", body).status == 400


def test_assaults_are_named_in_one_spelling(with_monkey: Process[Settings]) -> None:
    response = with_monkey.actuator.answer(
        "POST", "chaosmonkey/assaults", b'{"latency_active": true}'
    )

    assert document_of(response, 422)["errors"][0]["field"] == "latency_active"


def test_env_masks_secrets(tmp_path: Path) -> None:
    keys = {"db.password": "s3cret", "git.uri": "https://ann:s3cret@example.org/x", "plain": "seen"}
    shown = process(tmp_path, **keys).actuator.answer("GET", "env").body

    assert b"s3cret" not in shown
    assert b"//******@example.org/x" in shown
    assert b"seen" in shown


def test_only_the_owner_may_read_the_kept_configuration(tmp_path: Path) -> None:
    process(tmp_path)

    assert (tmp_path / "configuration.json").stat().st_mode & 0o077 == 0


def test_invented_http_methods_share_one_metric(tmp_path: Path) -> None:
    made = process(tmp_path)
    for number in range(1000):
        made.metrics.answered(f"M{number}", "/x", 405, 0.001)

    shown = made.metrics.exposition().decode()
    assert shown.count("http_server_requests_seconds_count") == 1
    assert 'method="UNKNOWN"' in shown
