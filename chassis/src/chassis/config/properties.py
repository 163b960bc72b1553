"""Properties as Spring writes them: flat keys and their tree, and placeholders filled in."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

# Of one text: what refers to what refers to what may otherwise grow without end.
MAX_PLACEHOLDERS, MAX_CHARACTERS, MAX_DEPTH = 10_000, 4_000_000, 50
BRACE = re.compile("[{}]")
INDEX = re.compile(r"\[(\d{1,9})\]")

Flat = Mapping[str, Any]


def to_tree(flat: Flat) -> dict[str, Any]:
    """`{"a.b[0]": 1}` as `{"a": {"b": [1]}}`; a key that is both a value and a branch is a branch.

    The indexes of a list give its order, and those that are missing leave no holes.
    """
    root: dict[str | int, Any] = {}
    for key, value in flat.items():
        *path, last = _steps(key)
        node = root
        for step in path:
            child = node.get(step)
            if not isinstance(child, dict):
                child = node[step] = {}
            node = child
        node.setdefault(last, value)
    return {str(step): _with_lists(child) for step, child in root.items()}


def _steps(key: str) -> list[str | int]:
    steps: list[str | int] = []
    for part in key.split("."):
        name, *indexes = INDEX.split(part)
        steps.extend([name] if name else [])
        steps.extend(int(index) if index.isdecimal() else index for index in indexes if index)
    return steps or [key]


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(step, int) for step in node):
        return [_with_lists(node[step]) for step in sorted(node)]
    return {str(step): _with_lists(child) for step, child in node.items()}


def to_flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    """The way back: `{"a": {"b": [1]}}` as `{"a.b[0]": 1}`.  What is empty has no key."""
    return dict(_leaves("", tree))


def _leaves(path: str, node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, Mapping):
        for key, child in node.items():
            yield from _leaves(f"{path}.{key}" if path else key, child)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _leaves(f"{path}[{index}]", child)
    else:
        yield path, node


def fill_placeholders(text: str, properties: Flat) -> str:
    """`text` with `${key:default}` replaced by a property or the default, as Spring does it.

    Values and defaults may hold placeholders themselves.  One with neither stays as it is, and so
    does what is beyond the limits.
    """
    return _Filling(properties).fill(text, (), 0)


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
