"""Properties as Spring writes them: flat keys and their tree, and placeholders filled in."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

V = TypeVar("V")

# Of one text: what refers to what refers to what may otherwise grow without end.
MAX_PLACEHOLDERS, MAX_CHARACTERS, MAX_DEPTH = 10_000, 4_000_000, 50
BRACE = re.compile("[{}]")
COLON = re.compile(r"(?<!\\):")
# Within these bounds Java writes no exponent.
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-3, 1e7
INDEX = re.compile(r"\[(\d{1,9})\]")

Flat = Mapping[str, Any]
Path = tuple[str | int, ...]


def merged(sources: Iterable[Mapping[str, V]]) -> dict[str, V]:
    """The winning value of each key, the strongest of `sources` first.

    A list is taken whole from the source that wins it, as Spring binds lists.
    """
    winning: dict[str, V] = {}
    won_by: dict[str, int] = {}
    for number, source in enumerate(sources):
        for key, value in source.items():
            # Of a list in a list, the outer one decides.
            if won_by.setdefault(INDEX.split(key, 1)[0], number) == number:
                winning[key] = value
    return winning


def to_tree(flat: Flat) -> dict[str, Any]:
    """`{"a.b[0]": 1}` as `{"a": {"b": [1]}}`.

    What stands below a key that has a value as well keeps the rest of its key in one piece, as in
    the documents of Spring's config server: `{"a": 1, "a.b": 2}`.  The indexes of a list give its
    order, and those that are missing leave no holes.
    """
    paths = {key: _steps(key) for key in flat}
    values = set(paths.values())
    mixed = _mixed(values)
    root: dict[str | int, Any] = {}
    for key, value in flat.items():
        *path, last = _joined(paths[key], values, mixed)
        node = root
        for step in path:
            node = node.setdefault(step, {})
        node.setdefault(last, value)
    return {str(step): _with_lists(child) for step, child in root.items()}


def _steps(key: str) -> Path:
    steps: list[str | int] = []
    for part in key.split("."):
        name, *indexes = INDEX.split(part)
        steps.extend([name] if name or not indexes else [])
        steps.extend(int(index) if index.isdecimal() else index for index in indexes if index)
    return tuple(steps) or (key,)


def _mixed(paths: Iterable[Path]) -> set[Path]:
    """What is a list by some keys, and a mapping by others."""
    lists: set[Path] = set()
    mappings: set[Path] = set()
    for path in paths:
        for end in range(1, len(path)):
            (lists if isinstance(path[end], int) else mappings).add(path[:end])
    return lists & mappings


def _joined(path: Path, values: set[Path], mixed: set[Path]) -> Iterator[str | int]:
    """The steps of `path`, of which those that cannot be told apart otherwise become one."""
    name = path[0]
    for end in range(1, len(path)):
        step, before = path[end], path[:end]
        if before in values or (before in mixed and isinstance(step, str)):
            name = f"{name}[{step}]" if isinstance(step, int) else f"{name}.{step}"
        else:
            yield name
            name = step
    yield name


def _with_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(isinstance(step, int) for step in node):
        return [_with_lists(node[step]) for step in sorted(node)]
    return {str(step): _with_lists(child) for step, child in node.items()}


def without_empty_parents(flat: Flat) -> dict[str, Any]:
    """`flat` without the keys that have no value and others below them: `fusebox:` and no more."""
    parents = {path[:end] for path in map(_steps, flat) for end in range(1, len(path))}
    return {
        key: value
        for key, value in flat.items()
        if value not in ("", None) or _steps(key) not in parents
    }


def fill_placeholders(text: str, properties: Flat) -> str:
    """`text` with `${key:default}` replaced by a property or the default, as Spring does it.

    Values and defaults may hold placeholders themselves.  One with neither stays as it is, and so
    does what is beyond the limits.  `\\${key}` is no placeholder, and becomes `${key}`.
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
            if escape := _backslashes(text, at, start):
                parts += text[at : start - escape], "${"
                at = start + 2
                continue
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
        inner = self.fill(placeholder[2:-1], within, depth + 1)
        name, default = _name_and_default(inner, self._properties)
        value = placeholder  # without value or default it stays as it is
        if name in self._properties and name not in within:
            value = self.fill(as_text(self._properties[name]), (*within, name), depth + 1)
        elif default is not None:
            value = default
        self._characters -= len(value)
        return value


def _backslashes(text: str, begin: int, end: int) -> int:
    """How many stand before `end`: two at most, for one may be escaped itself."""
    before = text[max(begin, end - 2) : end]
    return len(before) - len(before.rstrip("\\"))


def _name_and_default(text: str, properties: Flat) -> tuple[str, str | None]:
    """A name may have a colon, if it is one as a whole or if a backslash stands before it."""
    whole = text.replace("\\:", ":")
    if whole in properties:
        return whole, None
    name, *default = COLON.split(text, 1)
    return name.replace("\\:", ":"), default[0] if default else None


def _closing(text: str, start: int) -> int:
    depth = 0
    for brace in BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return -1


def as_text(value: Any) -> str:
    """As Java writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return _float_text(value) if isinstance(value, float) else str(value)


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0 or SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN:
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    first, *rest = digits
    power = len(rest) + int(exponent)
    return f"{'-' if sign else ''}{first}.{''.join(map(str, rest)) or '0'}E{power}"
