"""YAML files as flat properties, parsed as untrusted input.

Only plain data is taken: no tags that construct, no anchors that explode, no nesting that
exhausts the stack, no key twice.  What is taken means what it means to Spring.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from chassis.config.properties import as_text
from config_server.files import directives
from config_server.files import properties as properties_files
from config_server.files.directives import Directives, InvalidDirective
from config_server.files.yaml_values import MERGE, NULL, SCALARS, Loader, value_of
from config_server.model import PropertyValue, UnreadableFile

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 50
MAX_VALUES = 100_000  # once aliases are followed, of which there may be any number
COLLECTIONS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
# Where Spring puts a document that is no mapping, but a list or a single value.
WITHOUT_KEYS = "document"


@dataclass(frozen=True, slots=True)
class ConfigDocument:
    properties: dict[str, PropertyValue]
    directives: Directives


def parse(content: bytes, name: str) -> list[ConfigDocument]:
    """The documents of a `.properties` or YAML file in their order; raises UnreadableFile."""
    if len(content) > MAX_BYTES:
        raise UnreadableFile(f"{name}: longer than {MAX_BYTES} bytes")
    if name.endswith(".properties"):
        flat = properties_files.parse(content, name)
    else:
        flat = _yaml(content, name)
    try:
        return [ConfigDocument(entries, directives.of(entries)) for entries in flat]
    except InvalidDirective as error:
        raise UnreadableFile(f"{name}: {error}") from error


def _yaml(content: bytes, name: str) -> list[dict[str, PropertyValue]]:
    try:
        text = content.decode("utf-8-sig")
        _measure(text, name)
        nodes = [node for node in yaml.compose_all(text, Loader=Loader) if not _is_empty(node)]
        return [dict(_Flattening(name).document(node)) for node in nodes]
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
    return (
        node is None
        or (isinstance(node, yaml.ScalarNode) and (node.tag == NULL or not node.value))
        or (isinstance(node, yaml.SequenceNode) and not node.value)
    )


def _measure(text: str, name: str) -> None:
    # Before anything recursive sees the file.
    depth = 0
    for event in yaml.parse(text, Loader=Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise UnreadableFile(_place(name, event.start_mark, f"deeper than {MAX_DEPTH} levels"))


def _place(name: str, mark: Any, problem: str) -> str:
    return f"{name}, line {mark.line + 1}: {problem}" if mark else f"{name}: {problem}"


class _Flattening:
    """One document on its way from nodes to `a.b[0]: value`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._visited = 0

    def document(self, root: yaml.Node) -> Iterator[tuple[str, PropertyValue]]:
        return self._flat("" if isinstance(root, yaml.MappingNode) else WITHOUT_KEYS, root, 1)

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
        if node.tag == NULL:
            return "[null]"
        value = self._scalar(node)
        return value if isinstance(value, str) else f"[{as_text(value)}]"

    def _scalar(self, node: yaml.Node) -> Any:
        if isinstance(node, yaml.SequenceNode):
            return ""  # an empty list: what a properties file would hold
        if not isinstance(node, yaml.ScalarNode) or node.tag not in SCALARS:
            raise self._unusable(node, f"the tag {node.tag} is not allowed here")
        try:
            return value_of(node)
        except (ValueError, OverflowError) as error:
            raise self._unusable(node, str(error)) from error

    def _unusable(self, node: yaml.Node, problem: str) -> UnreadableFile:
        return UnreadableFile(_place(self._name, node.start_mark, problem))


def _joined(path: str, key: str) -> str:
    return f"{path}.{key}" if path and not key.startswith("[") else path + key
