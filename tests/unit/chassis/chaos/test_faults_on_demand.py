"""The actuator's pages that change something: breakers worked by hand, faults ordered."""

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
    environment = Environment.read("order-service", {"FUSEBOX_STATE": str(state)})
    configuration = ConfigClient(Settings, environment, lambda: [{"name": "x", "source": keys}])
    configuration.load()
    return Process(environment, configuration)


@pytest.fixture
def broken(tmp_path: Path) -> Process[Settings]:
    return process(tmp_path, **{"chaos.monkey.enabled": True})


def said(reply: ActuatorResponse, status: int = 200) -> dict[str, Any]:
    assert reply.status == status, reply.body
    document: dict[str, Any] = json.loads(reply.body)
    return document


def order(process: Process[Settings], status: int = 200, **assaults: Any) -> dict[str, Any]:
    return said(process.actuator.answer("POST", MONKEY, json.dumps(assaults).encode()), status)


def test_without_configuration_there_is_no_monkey(tmp_path: Path) -> None:
    well = process(tmp_path)

    for path in ("chaosmonkey", MONKEY, "chaosmonkey/status"):
        assert said(well.actuator.answer("GET", path), 404)["code"] == "not-found"
    assert order(well, 404, latencyActive=True)["code"] == "not-found"
    assert well.monkey.next_assault() is None


def test_an_order_changes_what_it_names_and_nothing_else(broken: Process[Settings]) -> None:
    order(broken, latencyActive=True, latencyRangeStart=5, latencyRangeEnd=5)
    order(broken, exceptionsActive=True)

    whole = said(broken.actuator.answer("GET", "chaosmonkey"))
    assert whole["chaosMonkeyProperties"] == {"enabled": True}
    assert (
        whole["assaultProperties"] | {"level": 1, "latencyActive": True}
        == (whole["assaultProperties"])
    )
    attack = broken.monkey.next_assault()
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
def test_a_wrong_order_is_refused_and_changes_nothing(
    broken: Process[Settings], wrong: dict[str, Any]
) -> None:
    before = broken.monkey.assaults()

    assert order(broken, 422, **wrong)["errors"]
    assert broken.monkey.assaults() == before


def test_a_share_of_the_requests_fails(broken: Process[Settings]) -> None:
    order(broken, exceptionsActive=True, exceptionRate=0.5)

    fails = sum(bool(attack and attack.fails) for attack in map(_attack, [broken] * 2000))
    assert 800 < fails < 1200


def _attack(process: Process[Settings]) -> Any:
    return process.monkey.next_assault()


def test_a_sleeping_monkey_harms_nobody(broken: Process[Settings]) -> None:
    order(broken, latencyActive=True)

    assert said(broken.actuator.answer("POST", "chaosmonkey/disable")) == {
        "status": "You switched me off!"
    }
    assert broken.monkey.next_assault() is None
    broken.actuator.answer("POST", "chaosmonkey/enable")
    assert broken.monkey.next_assault() is not None


def test_a_process_dies_only_at_the_point_that_was_armed(
    broken: Process[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _signal: killed.append(pid))
    order(broken, killAt=kill_points.AFTER_COMMIT)

    kill_points.kill_point(kill_points.BEFORE_COMMIT)
    assert not killed
    kill_points.kill_point(kill_points.AFTER_COMMIT)
    assert len(killed) == 1

    order(broken, killAt=None)
    kill_points.kill_point(kill_points.AFTER_COMMIT)
    assert len(killed) == 1


def test_a_breaker_is_worked_by_hand(broken: Process[Settings]) -> None:
    breaker = broken.breakers.of("catalog-service")
    path = "circuitbreakers/catalog-service"

    for state, shown in (
        ("FORCE_OPEN", "FORCED_OPEN"),
        ("DISABLE", "DISABLED"),
        ("CLOSE", "CLOSED"),
    ):
        update = json.dumps({"updateState": state}).encode()
        assert said(broken.actuator.answer("POST", path, update))["currentState"] == shown
        assert said(broken.actuator.answer("GET", path))["state"] == breaker.state == shown

    events = said(broken.actuator.answer("GET", "circuitbreakerevents/catalog-service"))
    assert [each["stateTransition"] for each in events["circuitBreakerEvents"]] == [
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
def test_a_wrong_update_is_refused_in_form(
    broken: Process[Settings], path: str, body: bytes, status: int
) -> None:
    broken.breakers.of("catalog-service")

    reply = broken.actuator.answer("POST", path, body)

    assert said(reply, status)["status"] == status
    assert reply.content_type == "application/problem+json"


def test_no_secret_is_shown_in_the_environment(tmp_path: Path) -> None:
    keys = {"db.password": "s3cret", "git.uri": "https://ann:s3cret@example.org/x", "plain": "seen"}
    shown = process(tmp_path, **keys).actuator.answer("GET", "env").body

    assert b"s3cret" not in shown
    assert b"//******@example.org/x" in shown
    assert b"seen" in shown


def test_the_kept_configuration_is_nobody_elses_to_read(tmp_path: Path) -> None:
    process(tmp_path)

    assert (tmp_path / "configuration.json").stat().st_mode & 0o077 == 0


def test_made_up_methods_do_not_fill_the_metrics(tmp_path: Path) -> None:
    made = process(tmp_path)
    for number in range(1000):
        made.metrics.answered(f"M{number}", "/x", 405, 0.001)

    shown = made.metrics.exposition().decode()
    assert shown.count("http_server_requests_seconds_count") == 1
    assert 'method="UNKNOWN"' in shown
