"""Merged properties as a tree, with placeholders filled in, in YAML, JSON and properties."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from config_server.model import PropertySource

# Of one text: what refers to what refers to what may otherwise grow without end.
MAX_PLACEHOLDERS, MAX_CHARACTERS, MAX_DEPTH = 10_000, 4_000_000, 50
BRACE = re.compile("[{}]")
INDEX = re.compile(r"\[(\d{1,9})\]")

Flat = Mapping[str, Any]


class Filled(str):
    """Text that a placeholder was filled into: `${PORT:8000}` may have become a number in YAML."""

    __slots__ = ()


def merged(sources: list[PropertySource]) -> dict[str, Any]:
    """The winning value of each key, sorted; a list is taken whole from the source that wins it."""
    winning: dict[str, dict[str, Any]] = {}
    for source in reversed(sources):
        own: dict[str, dict[str, Any]] = {}
        for key, value in source.plain().items():
            own.setdefault(key.partition("[")[0], {})[key] = value
        winning.update(own)
    return dict(sorted(entry for entries in winning.values() for entry in entries.items()))


def filled(properties: Flat) -> dict[str, Any]:
    """`properties` with `${key:default}` replaced by other properties or the default.

    The environment of this process is not used: it is not that of the clients.
    """
    return {
        key: filled_text(value, properties) if isinstance(value, str) else value
        for key, value in properties.items()
    }


def filled_text(text: str, properties: Flat) -> str:
    """`text` itself when there is nothing to replace in it, else a Filled."""
    result = _Filling(properties).fill(text, (), 0)
    return text if result == text else Filled(result)


class _Filling:
    """One text; what is beyond the limits stays as it is."""

    def __init__(self, properties: Flat) -> None:
        self._properties = properties
        self._placeholders = MAX_PLACEHOLDERS
        self._characters = MAX_CHARACTERS

    def fill(self, text: str, within: tuple[str, ...], depth: int) -> str:
        parts: list[str] = []
        at = 0
        while (start := text.find("${", at)) >= 0 and self._may_go_on(depth):
            end = _closing(text, start)
            if end < 0:
                break
            self._placeholders -= 1
            parts += text[at:start], self._value(text[start : end + 1], within, depth)
            at = end + 1
        return "".join(parts) + text[at:]

    def _may_go_on(self, depth: int) -> bool:
        return self._placeholders > 0 and self._characters > 0 and depth < MAX_DEPTH

    def _value(self, placeholder: str, within: tuple[str, ...], depth: int) -> str:
        name, colon, default = self.fill(placeholder[2:-1], within, depth + 1).partition(":")
        value = placeholder  # without value or default it stays as it is
        if name in self._properties and name not in within:
            value = self.fill(as_text(self._properties[name]), (*within, name), depth + 1)
        elif colon:
            value = default
        self._characters -= len(value)
        return value


def _closing(text: str, start: int) -> int:
    depth = 0
    for brace in BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return -1


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def to_properties(properties: Flat) -> str:
    # A line break within a value would begin another property.
    return "\n".join(
        f"{key}: {as_text(value)}".replace("\r", "").replace("\n", "\\n")
        for key, value in properties.items()
    )


def to_json(properties: Flat) -> str:
    return json.dumps(tree(properties), separators=(",", ":"), ensure_ascii=False)


def to_yaml(properties: Flat) -> str:
    return yaml.dump(
        tree(properties),
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
        width=10_000,
    )


def tree(properties: Flat) -> dict[str, Any]:
    """`{"a.b[0]": 1}` as `{"a": {"b": [1]}}`."""
    root: dict[str | int, Any] = {}
    for key, value in properties.items():
        *path, last = _steps(key)
        node = root
        for step in path:
            child = node.get(step)
            if not isinstance(child, dict):
                child = node[step] = {}
            node = child
        node.setdefault(last, value)
    found: dict[str, Any] = _with_lists(root)
    return found


def _steps(key: str) -> list[str | int]:
    steps: list[str | int] = []
    for part in key.split("."):
        name, *indexes = INDEX.split(part)
        steps.extend([name] if name else [])
        steps.extend(int(each) if each.isdecimal() else each for each in indexes if each)
    return steps or [key]


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(step, int) for step in node):
        return [_with_lists(node[step]) for step in sorted(node)]
    return {str(step): _with_lists(child) for step, child in node.items()}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _plain_if_it_may(dumper: yaml.SafeDumper, value: Filled) -> yaml.Node:
    tag = dumper.resolve(yaml.ScalarNode, str(value), (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(tag, str(value))


_Dumper.add_representer(Filled, _plain_if_it_may)
