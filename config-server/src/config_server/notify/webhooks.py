"""`POST /monitor`: which files changed, by the webhook of a git host or by hand."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

SHARED = "application"
EVERYTHING = "application.yml"
# The header in which each host names its event, and the event that lists commits with files.
COMMITS = {
    "X-Gitlab-Event": "Push Hook",
    "X-Gitea-Event": "push",
    "X-Gogs-Event": "push",
    "X-Gitee-Event": "Push Hook",
    "X-Git-Oschina-Event": "Push Hook",
    "X-GitHub-Event": "push",
}
# Bitbucket reports that something was pushed, but not which files.
WITHOUT_FILES = {
    "repo:push": "push",
    "repo:refs_changed": "changes",
    "pullrequest:fulfilled": "changes",
}


class MalformedNotification(ValueError):
    """A body that is no notification at all."""


def parse(body: bytes) -> Mapping[str, Any]:
    """Raises MalformedNotification."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedNotification("the body is no JSON") from error
    if not isinstance(document, dict):
        raise MalformedNotification("the body is no JSON object")
    return document


def changed_paths(headers: Mapping[str, str], document: Mapping[str, Any]) -> list[str]:
    """The changed files that `document` lists; none when it reports another event."""
    if any(headers.get(name) == event for name, event in COMMITS.items()):
        return _of_commits(document.get("commits"))
    changes_key = WITHOUT_FILES.get(headers.get("X-Event-Key", ""))
    if changes_key:
        return [EVERYTHING] if document.get(changes_key) else []
    return _texts(document.get("path"))


def guess_services(paths: Iterable[str]) -> list[str]:
    """Each `name` or `name:profile` to which these files may apply, guessed as Spring does."""
    return list(dict.fromkeys(guess for path in paths for guess in _guesses(path)))


def applications_of(services: Iterable[str]) -> set[str] | None:
    """The names alone; None: all of them."""
    names = {service.partition(":")[0] for service in services}
    return None if "*" in names else names


def _of_commits(commits: Any) -> list[str]:
    if not isinstance(commits, list):
        return []
    return [
        path
        for commit in commits
        if isinstance(commit, dict)
        for kind in ("added", "removed", "modified")
        for path in _texts(commit.get(kind))
    ]


def _texts(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _guesses(path: str) -> Iterable[str]:
    stem = _stem(path.rpartition("/")[2])
    at = stem.find("-")
    while at >= 0:
        yield from _guess(stem[:at], f":{stem[at + 1 :]}")
        at = stem.find("-", at + 1)
    yield from _guess(stem, "")


def _guess(name: str, profile: str) -> Iterable[str]:
    if name == SHARED:
        yield f"*{profile}"
    elif name and not name.startswith(SHARED):
        yield name + profile


def _stem(name: str) -> str:
    return name.rpartition(".")[0] if "." in name else name
