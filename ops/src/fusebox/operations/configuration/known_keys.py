"""The keys of the configuration that the processes of a shop read, as they say themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.suggestions import nearest
from fusebox.core.topology import PARTS, part_of
from fusebox.runtime.actuator_client import ActuatorClient
from fusebox.runtime.driver import State

STANDS_FOR = {"*": r"[^.\[\]]+", "[*]": r"\[\d+\]", "**": ".+"}
WILDCARD = re.compile(r"\[\*\]|\*\*|\*")


@dataclass(frozen=True)
class InstanceKeys:
    """What one process reads: names with wildcards, and the values that are in force.

    `in_use` holds what the files of the clone say, without what was set by hand.
    """

    instance: str
    defaults: dict[str, Any]
    values: dict[str, Any]
    in_use: frozenset[str] = field(default=frozenset())

    @classmethod
    def of(cls, stack: Stack, state: State) -> InstanceKeys | None:
        """None for who does not answer."""
        actuator = ActuatorClient.at(stack, state)
        declared = actuator.page("configuration-metadata").get("properties") if actuator else None
        if actuator is None or not isinstance(declared, list):
            return None
        defaults = {entry["name"]: entry.get("defaultValue") for entry in declared}
        values: dict[str, Any] = {}
        in_use: set[str] = set()
        for source in actuator.page("env").get("propertySources", ()):
            properties = source["properties"]
            values |= {key: entry["value"] for key, entry in properties.items()}
            if str(stack.config) not in unquote(source["name"]):
                in_use |= properties.keys()
        return cls(state.instance, defaults, values, frozenset(in_use))

    def reads(self, key: str) -> bool:
        return key in self.in_use or any(_fits(key, name) for name in self.defaults)

    def value(self, key: str) -> str:
        """What is in force, as a person would write it; empty for nothing."""
        value = self.values.get(key)
        if value is None:
            value = next((self.defaults[name] for name in self.defaults if _fits(key, name)), None)
        if isinstance(value, bool):
            return str(value).lower()
        return "" if value is None else str(value)


def refuse_unknown(key: str, service: str | None, known: Iterable[InstanceKeys]) -> None:
    """Raises Fault for a key that nobody of them reads, or not who is to."""
    known = list(known)
    readers = {part_of(keys.instance).name for keys in known if keys.reads(key)}
    if not known or (readers if service is None else service in readers):
        return
    if readers and service in {part_of(keys.instance).name for keys in known}:
        raise Fault(
            f"{service} does not read {key}",
            remedy=f"it is read by {', '.join(sorted(readers))}: name one of them as SERVICE,"
            " or none.",
            exit_code=2,
        )
    names = sorted({name for keys in known for name in (*keys.defaults, *keys.in_use)})
    meant = nearest_key(key, names)
    suggestion = f"did you mean {meant}? " if meant else ""
    answering = {part_of(keys.instance).name for keys in known}
    silent = [part.name for part in PARTS if part.is_ours and part.name not in answering]
    others = f"; {', '.join(silent)} could not be asked: `make heal` first" if silent else ""
    raise Fault(
        f"no process reads a key {key}{others}",
        remedy=f"{suggestion}The files in config/ describe those in use.",
        exit_code=2,
    )


def nearest_key(key: str, names: Iterable[str]) -> str | None:
    """The most similar one; of a misspelled last segment, one of the same section."""
    filled = [_filled(name, key) for name in names if not name.endswith("**")]
    section, _, last = key.rpartition(".")
    lasts = {name.rpartition(".")[2]: name for name in filled if name.rpartition(".")[0] == section}
    meant = nearest(last, lasts) if section else None
    if meant:
        return lasts[meant]
    ends = {name.rpartition(".")[2]: name for name in filled}
    return ends.get(key) or nearest(key, filled)


def _filled(name: str, key: str) -> str:
    """`name` with the segments of `key` in the place of its wildcards, as far as it has any."""
    own = key.split(".")
    segments = enumerate(name.split("."))
    return ".".join(
        own[place] if segment == "*" and place < len(own) else segment
        for place, segment in segments
    )


def _fits(key: str, name: str) -> bool:
    pattern = "".join(
        STANDS_FOR[piece] if piece in STANDS_FOR else re.escape(piece.replace("_", "-"))
        for piece in re.split(f"({WILDCARD.pattern})", name)
    )
    return re.fullmatch(pattern, key.replace("_", "-")) is not None
