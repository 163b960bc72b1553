"""YAML files as flat properties, parsed as untrusted input.

Only plain data is taken: no tags that construct, no anchors that explode, no nesting that
exhausts the stack, no key twice.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from config_server.files import properties as properties_files
from config_server.files.profiles import InvalidProfileExpression, accepts
from config_server.model import PropertyValue, UnreadableFile

MAX_BYTES = 1024 * 1024
MAX_ALIASES = 50
MAX_DEPTH = 50
MAX_VALUES = 20_000
MAX_DIGITS = 100  # a longer number stays text: to compute it may take minutes
ACTIVATION = "spring.config.activate.on-profile"

# As written, so that no date is read into 12:30:00 or 2026-01-01.
TEXTS = {"tag:yaml.org,2002:str", "tag:yaml.org,2002:timestamp"}
SCALARS = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null")}
COLLECTIONS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
NULL, MERGE = "tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class ConfigDocument:
    properties: dict[str, PropertyValue]

    @property
    def activation(self) -> str | None:
        """The profile expression under which this document counts; None: always."""
        parts = [
            str(value.value)
            for key, value in self.properties.items()
            if key == ACTIVATION or key.startswith(f"{ACTIVATION}[")
        ]
        return ",".join(parts) or None


def parse(content: bytes, name: str) -> list[ConfigDocument]:
    """The documents of a `.properties` or YAML file in their order; raises UnreadableFile."""
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"{name}: longer than {MAX_BYTES} bytes")
    if name.endswith(".properties"):
        documents = [ConfigDocument(entries) for entries in properties_files.parse(content, name)]
    else:
        documents = _yaml(content, name)
    for document in documents:
        _check_activation(document, name)
    return documents


def _check_activation(document: ConfigDocument, name: str) -> None:
    try:
        accepts(document.activation or "any", ())
    except InvalidProfileExpression as error:
        raise UnreadableFile(f"{name}: {error}") from error


def _yaml(content: bytes, name: str) -> list[ConfigDocument]:
    try:
        text = content.decode("utf-8-sig")
        _measure(text, name)
        nodes = [node for node in yaml.compose_all(text, Loader=Loader) if not _is_empty(node)]
        return [ConfigDocument(dict(_Flattening(name).document(node))) for node in nodes]
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(f"{name}, line {line}: not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        raise UnreadableFile(
            _place(name, error.problem_mark, error.problem or "no YAML")
        ) from error
    except yaml.YAMLError as error:
        raise UnreadableFile(f"{name}: {error}") from error


def _is_empty(node: yaml.Node | None) -> bool:
    return node is None or (isinstance(node, yaml.ScalarNode) and node.tag == NULL)


def _measure(text: str, name: str) -> None:
    # Before anything recursive sees the file.
    depth = aliases = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if depth > MAX_DEPTH:
            raise UnreadableFile(_place(name, event.start_mark, f"deeper than {MAX_DEPTH} levels"))
        if aliases > MAX_ALIASES:
            raise UnreadableFile(_place(name, event.start_mark, f"more than {MAX_ALIASES} aliases"))


def _place(name: str, mark: Any, problem: str) -> str:
    return f"{name}, line {mark.line + 1}: {problem}" if mark else f"{name}: {problem}"


class _Flattening:
    """One document on its way from nodes to `a.b[0]: value`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._constructor = yaml.constructor.SafeConstructor()
        self._visited = 0

    def document(self, root: yaml.Node) -> Iterator[tuple[str, PropertyValue]]:
        if isinstance(root, yaml.MappingNode):
            return self._flat("", root, 1)
        raise self._unusable(root, "no mapping of keys to values")

    def _flat(self, path: str, node: yaml.Node, depth: int) -> Iterator[tuple[str, PropertyValue]]:
        self._visited += 1
        # Aliases repeat what they name, and may contain themselves.
        if depth > MAX_DEPTH or self._visited > MAX_VALUES:
            raise self._unusable(node, "too large once its aliases are followed")
        if isinstance(node, yaml.CollectionNode) and node.tag not in COLLECTIONS:
            raise self._unusable(node, f"the tag {node.tag} is not allowed here")
        if isinstance(node, yaml.MappingNode):
            for key, child in self._entries(node, depth).items():
                yield from self._flat(_joined(path, key), child, depth + 1)
        elif isinstance(node, yaml.SequenceNode) and node.value:
            for index, child in enumerate(node.value):
                yield from self._flat(f"{path}[{index}]", child, depth + 1)
        else:
            mark = node.start_mark
            yield path, PropertyValue(self._scalar(node), f"{mark.line + 1}:{mark.column + 1}")

    def _entries(self, node: yaml.MappingNode, depth: int) -> dict[str, yaml.Node]:
        own: dict[str, yaml.Node] = {}
        merged: dict[str, yaml.Node] = {}
        for key_node, child in node.value:
            if key_node.tag == MERGE:
                merged = self._merged(child, depth + 1) | merged
                continue
            key = self._key(key_node)
            if key in own:
                raise self._unusable(key_node, f"the key {key} is there twice")
            own[key] = child
        return merged | own

    def _merged(self, node: yaml.Node, depth: int) -> dict[str, yaml.Node]:
        self._visited += 1
        if depth > MAX_DEPTH or self._visited > MAX_VALUES:
            raise self._unusable(node, "too large once its aliases are followed")
        if isinstance(node, yaml.MappingNode):
            return self._entries(node, depth)
        if not isinstance(node, yaml.SequenceNode):
            raise self._unusable(node, "<< takes a mapping or a list of mappings")
        entries: dict[str, yaml.Node] = {}
        for child in node.value:
            entries = self._merged(child, depth + 1) | entries
        return entries

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise self._unusable(node, "a key that is no plain value")
        value = node.value if node.tag == NULL else self._scalar(node)
        return value if isinstance(value, str) else f"[{_text(value)}]"

    def _scalar(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return ""  # an empty list: what a properties file would hold
        if node.tag not in SCALARS | TEXTS:
            raise self._unusable(node, f"the tag {node.tag} is not allowed here")
        if node.tag in TEXTS or len(node.value) > MAX_DIGITS:
            return node.value
        try:
            value = self._constructor.construct_object(node)
        except ValueError as error:
            raise self._unusable(node, str(error)) from error
        if value is None:
            return ""
        return value if not isinstance(value, float) or math.isfinite(value) else node.value

    def _unusable(self, node: yaml.Node, problem: str) -> UnreadableFile:
        return UnreadableFile(_place(self._name, node.start_mark, problem))


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path and not key.startswith("[") else path + key


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
