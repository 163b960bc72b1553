"""`POST /monitor`, by hand and by webhook."""

import json
from typing import Any

import pytest

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
GITHUB = {"Content-Type": "application/json", "X-GitHub-Event": "push"}


def test_a_posted_form_may_name_the_application(server: Any) -> None:
    answer = server.post("/monitor", "path=probe&path=other.yml", **FORM)

    assert (answer.status_code, answer.json()) == (200, ["probe", "other"])
    assert answer.headers["Content-Type"] == "application/json"
    assert server.changed == [{"probe", "other"}]


@pytest.mark.parametrize("path", ["*", "application.yml", "application-dev.yml"])
def test_a_change_of_the_shared_configuration_affects_all(server: Any, path: str) -> None:
    server.post("/monitor", {"path": path}, **FORM)

    assert server.changed == [None]


def test_a_webhook_names_files(server: Any) -> None:
    pushed = {"commits": [{"added": [], "modified": ["order-service-native.yml"], "removed": []}]}

    answer = server.post("/monitor", json.dumps(pushed), **GITHUB)

    assert "order-service:native" in answer.json()
    assert server.changed == [{"order", "order-service", "order-service-native"}]


def test_a_webhook_of_another_event_changes_nothing(server: Any) -> None:
    ping = {**GITHUB, "X-GitHub-Event": "ping"}

    answer = server.post("/monitor", '{"zen": "Design for failure."}', **ping)

    assert (answer.status_code, answer.json()) == (200, [])
    assert server.changed == []


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("", FORM, 400),
        ("paths=x", FORM, 400),
        ("", GITHUB, 400),
        ("[1]", GITHUB, 400),
        ("[" * 100_000, GITHUB, 400),
        ('{"path": "' + "x" * 10_000_000 + '"}', GITHUB, 413),
        ("path=" + "x" * 10_000_000, FORM, 413),
    ],
)
def test_an_invalid_notification_is_rejected_and_the_next_one_works(
    server: Any, body: str, headers: dict[str, str], status: int
) -> None:
    assert server.post("/monitor", body, **headers).status_code == status
    assert server.changed == []
    assert server.post("/monitor", "path=probe", **FORM).status_code == 200
