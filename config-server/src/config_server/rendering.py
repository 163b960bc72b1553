"""Merged properties as a tree, with placeholders filled in, in YAML, JSON and properties."""

import json
import re
from collections.abc import Mapping
from typing import Any

import yaml

from config_server.repository import Source

MAX_PLACEHOLDERS = 200  # a text; each costs a level of recursion
INDEX = re.compile(r"\[(\d{1,9})\]")

Flat = Mapping[str, Any]


class Filled(str):
    """Text that a placeholder was filled into: `${PORT:8000}` may have become a number in YAML."""

    __slots__ = ()


def merged(sources: list[Source]) -> dict[str, Any]:
    """The winning value of each key, sorted; a list is taken whole from the source that wins it."""
    found: dict[str, dict[str, Any]] = {}
    for source in reversed(sources):
        own: dict[str, dict[str, Any]] = {}
        for key, value in source.plain().items():
            own.setdefault(key.partition("[")[0], {})[key] = value
        found.update(own)
    return dict(sorted(entry for entries in found.values() for entry in entries.items()))


def filled(properties: Flat) -> dict[str, Any]:
    """`properties` with `${key:default}` replaced by other properties or the default.

    The environment of this process is not asked: it is not the one of those who ask.
    """
    return {
        key: _Filling(properties).text(value) if isinstance(value, str) else value
        for key, value in properties.items()
    }


class _Filling:
    def __init__(self, properties: Flat) -> None:
        self._properties = properties
        self._left = MAX_PLACEHOLDERS

    def text(self, text: str) -> str:
        result = self._fill(text, ())
        return text if result == text else Filled(result)

    def _fill(self, text: str, within: tuple[str, ...]) -> str:
        start = text.find("${")
        end = _closing(text, start)
        if start < 0 or end < 0 or self._left == 0:
            return text
        self._left -= 1
        name, colon, default = self._fill(text[start + 2 : end], within).partition(":")
        value = text[start : end + 1]  # without value or default it stays as it is
        if name in self._properties and name not in within:
            value = self._fill(as_text(self._properties[name]), (*within, name))
        elif colon:
            value = default
        return text[:start] + value + self._fill(text[end + 1 :], within)


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(max(start, 0), len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if text[at] == "}" and depth == 0:
            return at
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
