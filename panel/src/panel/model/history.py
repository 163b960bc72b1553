"""What just happened, found by comparing each picture with the one before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from panel.model.states import SELF_PRESERVATION

EVENTS_KEPT = 200
KEYS_SHOWN = 3
# Among so many of the last events one that is told once more is looked for.
RECENT = 5
UP = ("up", "degraded")
GONE = ("down", "stopped", "paused")
BREAKER_EVENTS = {
    "OPEN": ("breaker-opened", "is open: {name} is not called"),
    "FORCED_OPEN": ("breaker-opened", "was opened by hand: {name} is not called"),
    "HALF_OPEN": ("breaker-trial", "tries whether {name} is back"),
    "CLOSED": ("breaker-closed", "is closed: {name} is called again"),
    "DISABLED": ("breaker-closed", "is disabled: {name} is called whatever happens"),
}

Document = Mapping[str, Any]


class History:
    """The newest first, at most `EVENTS_KEPT`."""

    def __init__(self) -> None:
        self.events: deque[dict[str, str]] = deque(maxlen=EVENTS_KEPT)
        self._before: Document | None = None

    def compare(self, document: Document) -> None:
        """Add what has changed since the last document; the first one is where it begins."""
        if self._before is not None:
            for kind, subject, text in changes(self._before, document):
                self.add(document["at"], kind, subject, text)
        self._before = document

    def configuration_changed(self, at: str, service: str, keys: Sequence[str]) -> None:
        """Of one key several services tell, one after another: that is one event."""
        text = f"{', '.join(keys[:KEYS_SHOWN])} has changed"
        if len(keys) > KEYS_SHOWN:
            text = f"{', '.join(keys[:KEYS_SHOWN])} and {len(keys) - KEYS_SHOWN} more have changed"
        for event in list(self.events)[:RECENT]:
            if event["kind"] == "configuration-changed" and event["text"] == text:
                if service not in event["subject"].split(", "):
                    event["subject"] += f", {service}"
                    return
                break
        self.add(at, "configuration-changed", service, text)

    def add(self, at: str, kind: str, subject: str, text: str) -> None:
        self.events.appendleft({"at": at, "kind": kind, "subject": subject, "text": text})


def changes(before: Document, now: Document) -> Iterator[tuple[str, str, str]]:
    """Kind, subject and text of each difference."""
    # Before discovery has answered nobody is known, and nobody comes.
    if before["age"]["registry"] is not None:
        yield from _instances(before, now)
    yield from _breakers(before, now)
    yield from _faults(before, now)
    yield from _dead_letters(before, now)
    yield from _self_preservation(before, now)


def _instances(before: Document, now: Document) -> Iterator[tuple[str, str, str]]:
    old, new = _states(before), _states(now)
    for name in sorted(old.keys() | new.keys()):
        was, (state, reason) = old.get(name, ("", None))[0], new.get(name, ("", None))
        if was in UP and state not in (*UP, "unknown"):
            yield "instance-gone", name, reason or state or "is not registered any more"
        elif state in UP and was not in UP and was != "unknown":
            yield "instance-come", name, "is there"


def _states(document: Document) -> dict[str, tuple[str, str | None]]:
    return {
        instance["id"]: (instance["state"], instance["reason"])
        for part in document["parts"]
        for instance in part["instances"]
    }


def _breakers(before: Document, now: Document) -> Iterator[tuple[str, str, str]]:
    old = {(breaker["owner"], breaker["name"]): breaker["state"] for breaker in before["breakers"]}
    for breaker in now["breakers"]:
        owner, name, state = breaker["owner"], breaker["name"], breaker["state"]
        # One that was not there before has been closed.
        if state != old.get((owner, name), "CLOSED") and state in BREAKER_EVENTS:
            kind, text = BREAKER_EVENTS[state]
            reason = f" ({breaker['lastFailure']})" if kind == "breaker-opened" else ""
            reason = reason if breaker["lastFailure"] else ""
            yield kind, owner, f"the breaker of {owner} {text.format(name=name)}{reason}"


def _faults(before: Document, now: Document) -> Iterator[tuple[str, str, str]]:
    old, new = ({(one["service"], one["text"]) for one in when["faults"]} for when in (before, now))
    for service, text in sorted(new - old):
        yield "fault-applied", service, text
    for service, text in sorted(old - new):
        yield "fault-healed", service, text


def _dead_letters(before: Document, now: Document) -> Iterator[tuple[str, str, str]]:
    old, new = _dead(before), _dead(now)
    for topic, count in new.items():
        more = count - old.get(topic, count)
        if more > 0:
            letters = "a record is" if more == 1 else f"{more} records are"
            yield "dead-letter", topic, f"{letters} given up: {topic}.dead has {count}"


def _dead(document: Document) -> dict[str, int]:
    return {
        topic["name"]: topic["dead"]
        for part in document["parts"]
        for topic in part["topics"]
        if topic["dead"] is not None
    }


def _self_preservation(before: Document, now: Document) -> Iterator[tuple[str, str, str]]:
    was, is_now = _preserves(before), _preserves(now)
    if is_now and not was:
        yield "self-preservation", "discovery", SELF_PRESERVATION
    elif was and not is_now:
        yield "self-preservation", "discovery", "self-preservation is over"


def _preserves(document: Document) -> bool:
    return any(
        instance["reason"] == SELF_PRESERVATION
        for part in document["parts"]
        for instance in part["instances"]
    )
