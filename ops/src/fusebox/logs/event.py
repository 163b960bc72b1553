"""A line of the logs as an event: what ECS calls its fields, whoever wrote it and in which form."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

# In Python's numbers, which put them in order.
LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40, "fatal": 50}
# As Kafka, Zipkin, PostgreSQL and the supervisor say it.
OTHER_WORDS = {
    "warning": "warn",
    "critical": "fatal",
    "panic": "fatal",
    "log": "info",
    "notice": "info",
    "hint": "info",
    "detail": "info",
    "statement": "info",
}
LEVEL = re.compile(rf"\b({'|'.join((*LEVELS, *OTHER_WORDS))})\b", re.IGNORECASE)
# The level stands near the beginning, behind time and thread.
LEVEL_WITHIN = 90

Event = dict[str, Any]


def event_of(text: str) -> Event | None:
    """The event that one of our processes has written; None for any other line."""
    if not text.startswith('{"@timestamp"'):
        return None
    try:
        event = json.loads(text)
    except ValueError:  # cut off, as when its process was killed
        return None
    return event if isinstance(event, dict) else None


def level_of(text: str, event: Event | None) -> int | None:
    """As a number of LEVELS; None when the line does not say, as a traceback's do not."""
    if event:
        name = str(event.get("log.level", ""))
    else:
        match = LEVEL.search(text[:LEVEL_WITHIN])
        name = match[1] if match else ""
    return level_named(name)


def level_named(name: str) -> int | None:
    """The number of a level that is called so by anybody; None when there is none."""
    known = name.lower()
    return LEVELS.get(OTHER_WORDS.get(known, known))


def as_event(name: str, at: float, text: str) -> Event:
    """The line in ECS' names, in whatever form it was written."""
    event = event_of(text)
    if event is not None:
        return event
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return {
        "@timestamp": moment.replace("+00:00", "Z"),
        "message": text,
        "service.node.name": name,
    }
