"""The facts as the document that the page draws."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from panel.model.facts import Facts, Pages, PartFacts, Registration

UNKNOWN, UP, DOWN, DEGRADED = "unknown", "up", "down", "degraded"


def picture(facts: Facts, now: float) -> dict[str, Any]:
    """`now` is in seconds since the epoch, as all times of the facts are."""
    return {
        "at": rfc3339(now),
        "age": {"registry": _age(facts.registry_at, now)},
        "parts": [_part(facts, part) for part in facts.parts],
        "arrows": [],
        "breakers": _breakers(facts),
        "faults": [],
        "orders": [],
        "history": [],
        "invariants": [],
        "lesson": {"running": False, "step": 0, "steps": 0, "title": None, "lines": []},
        "jobs": [],
    }


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _age(at: float | None, now: float) -> float | None:
    return None if at is None else round(now - at, 1)


def _part(facts: Facts, part: PartFacts) -> dict[str, Any]:
    instances = [
        _instance(registered, facts.pages.get(registered.instance))
        for registered in facts.registry
        if registered.service == part.name
    ]
    state, reason = _state(facts, part, instances)
    return {
        "name": part.name,
        "kind": part.kind,
        "state": state,
        "reason": reason,
        "traffic": {"rate": None, "errors": None, "p99": None},
        "instances": instances,
        "outbox": None,
        "consumers": [],
        "topics": [],
        "addresses": [{"label": label, "url": url} for label, url in part.addresses],
    }


def _state(
    facts: Facts, part: PartFacts, instances: list[dict[str, Any]]
) -> tuple[str, str | None]:
    answer = facts.answers.get(part.name)
    if answer is not None:
        return (DOWN, answer.error) if answer.error else (UP, None)
    if facts.registry_at is None:
        return UNKNOWN, None
    states = {instance["state"] for instance in instances}
    if UP not in states:
        return DOWN, "no instance is registered" if not instances else instances[0]["reason"]
    if states != {UP}:
        return DEGRADED, next(one["reason"] for one in instances if one["state"] != UP)
    return UP, None


def _instance(registered: Registration, pages: Pages | None) -> dict[str, Any]:
    reason = pages.error if pages else ""
    return {
        "id": registered.instance,
        "address": f"{registered.host}:{registered.port}",
        "state": UNKNOWN if pages is None else DOWN if reason else UP,
        "version": registered.version,
        "canary": registered.canary,
        "reason": reason or None,
    }


def _breakers(facts: Facts) -> list[dict[str, Any]]:
    return [
        _breaker(owner, name, breaker)
        for owner, pages in sorted(facts.pages.items())
        for name, breaker in sorted(pages.breakers.items())
    ]


def _breaker(owner: str, name: str, breaker: dict[str, Any]) -> dict[str, Any]:
    return {
        "owner": owner,
        "name": name,
        "state": breaker.get("state"),
        "failures": breaker.get("failuresInARow"),
        "calls": breaker.get("bufferedCalls"),
        "failureRate": _percent(breaker.get("failureRate")),
        "threshold": _percent(breaker.get("failureRateThreshold")),
        "minimumCalls": None,
        "nextTrialIn": breaker.get("secondsToProbe"),
        "lastFailure": None,
    }


def _percent(text: object) -> float | None:
    """`22.2%` as a number; resilience4j's -1 stands for too few calls."""
    try:
        value = float(str(text).rstrip("%"))
    except ValueError:
        return None
    return value if value >= 0 else None
