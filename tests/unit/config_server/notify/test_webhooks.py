"""What a notification says has changed."""

from typing import Any

import pytest

from config_server.notify import webhooks

PUSHED = {
    "commits": [
        {"added": ["order-service-native.yml"], "modified": [], "removed": ["x/probe.yml"]},
        {"modified": ["application.yml"]},
    ]
}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-GitHub-Event": "push"},
        {"X-Gitlab-Event": "Push Hook"},
        {"X-Gitea-Event": "push"},
        {"X-Gogs-Event": "push"},
        {"X-Gitee-Event": "Push Hook"},
    ],
)
def test_the_files_of_all_commits_are_taken(headers: dict[str, str]) -> None:
    assert webhooks.changed_paths(headers, PUSHED) == [
        "order-service-native.yml",
        "x/probe.yml",
        "application.yml",
    ]


def test_bitbucket_names_no_files_so_every_application_is_affected() -> None:
    headers = {"X-Event-Key": "repo:push"}

    assert webhooks.changed_paths(headers, {"push": {"changes": [1]}}) == ["application.yml"]
    assert webhooks.changed_paths(headers, {}) == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"path": "probe"}, ["probe"]),
        ({"path": ["a", 1, "b"]}, ["a", "b"]),
        ({"path": {"x": 1}}, []),
        ({"zen": "Keep it logically awesome."}, []),
        (PUSHED, []),
    ],
)
def test_without_a_known_header_only_path_counts(
    document: dict[str, Any], expected: list[str]
) -> None:
    assert webhooks.changed_paths({"X-GitHub-Event": "ping"}, document) == expected


@pytest.mark.parametrize(
    "commits", [None, "x", {"added": ["a"]}, [None, "x", {"added": 1}, {"added": [None, {}]}]]
)
def test_malformed_commits_name_no_files(commits: Any) -> None:
    assert webhooks.changed_paths({"X-GitHub-Event": "push"}, {"commits": commits}) == []


@pytest.mark.parametrize(
    ("path", "guesses", "names"),
    [
        ("probe", ["probe"], {"probe"}),
        ("*", ["*"], None),
        ("x/probe.yml", ["probe"], {"probe"}),
        (
            "order-service-dev.yml",
            ["order:service-dev", "order-service:dev", "order-service-dev"],
            {"order", "order-service", "order-service-dev"},
        ),
        ("application.yml", ["*"], None),
        ("application-dev.yml", ["*:dev"], None),
        ("", [], set()),
        (".yml", [], set()),
    ],
)
def test_services_are_guessed_from_file_names(
    path: str, guesses: list[str], names: set[str] | None
) -> None:
    assert webhooks.guess_services([path]) == guesses
    assert webhooks.applications_of(guesses) == names


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"1", b"\xff", b"[" * 100_000])
def test_a_body_that_is_not_a_notification_is_rejected(body: bytes) -> None:
    with pytest.raises(webhooks.MalformedNotification):
        webhooks.parse(body)
