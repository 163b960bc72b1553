"""`POST /monitor`: what a webhook of a git host, or a hand, says has changed."""

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
# Bitbucket tells that something was pushed, and not which files.
UNLISTED = {"repo:push": "push", "repo:refs_changed": "changes", "pullrequest:fulfilled": "changes"}


class NotUnderstood(ValueError):
    """A body that is no notification at all."""


def parsed(body: bytes) -> Mapping[str, Any]:
    """Raises NotUnderstood."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotUnderstood("the body is no JSON") from error
    if not isinstance(document, dict):
        raise NotUnderstood("the body is no JSON object")
    return document


def changed_paths(headers: Mapping[str, str], document: Mapping[str, Any]) -> list[str]:
    """The files that `document` says have changed; none when it speaks of something else."""
    if any(headers.get(name) == event for name, event in COMMITS.items()):
        return _of_commits(document.get("commits"))
    missing = UNLISTED.get(headers.get("X-Event-Key", ""))
    if missing:
        return [EVERYTHING] if document.get(missing) else []
    return _texts(document.get("path"))


def services(paths: Iterable[str]) -> list[str]:
    """Each `name` or `name:profile` that these files may concern, as Spring guesses it."""
    return list(dict.fromkeys(guess for path in paths for guess in _guesses(path)))


def applications(guesses: Iterable[str]) -> set[str] | None:
    """The names alone; None: all of them."""
    names = {guess.partition(":")[0] for guess in guesses}
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


def _texts(given: Any) -> list[str]:
    listed = given if isinstance(given, list) else [given]
    return [each for each in listed if isinstance(each, str)]


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
