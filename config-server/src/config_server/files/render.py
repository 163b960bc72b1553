"""Merged properties as a tree, with placeholders filled in, in YAML, JSON and properties."""

import json
import math
from collections.abc import Mapping
from typing import Any

import yaml

from chassis.config.properties import as_text, fill_placeholders, to_tree
from chassis.config.properties import merged as merged_properties
from config_server.files.documents import WITHOUT_KEYS
from config_server.files.yaml_values import STR, is_text
from config_server.model import PropertySource

Properties = Mapping[str, Any]


class Filled(str):
    """Text that a placeholder was filled into: `${PORT:8000}` may have become a number in YAML."""

    __slots__ = ()


def merged(sources: list[PropertySource]) -> dict[str, Any]:
    """The winning value of each key, sorted; a list is taken whole from the source that wins it."""
    return dict(sorted(merged_properties(source.plain() for source in sources).items()))


def filled(properties: Properties) -> dict[str, Any]:
    """`properties` with `${key:default}` replaced by other properties or the default.

    The environment of this process is not used: it is not that of the clients.
    """
    return {
        key: filled_text(value, properties) if isinstance(value, str) else value
        for key, value in properties.items()
    }


def filled_text(text: str, properties: Properties) -> str:
    """`text` itself when there is nothing to replace in it, else a Filled."""
    result = fill_placeholders(text, properties)
    return text if result == text else Filled(result)


def to_properties(properties: Properties) -> str:
    # A line break within a value would begin another property.
    return "\n".join(
        f"{key}: {as_text(value)}".replace("\r", "").replace("\n", "\\n")
        for key, value in properties.items()
    )


def to_json(properties: Properties) -> str:
    tree = to_tree({key: json_value(value) for key, value in properties.items()})
    return json.dumps(tree, separators=(",", ":"), ensure_ascii=False)


def json_value(value: Any) -> Any:
    """Infinities and NaN as text: JSON has no numbers for them."""
    return as_text(value) if isinstance(value, float) and not math.isfinite(value) else value


def to_yaml(properties: Properties) -> str:
    tree: Any = to_tree(properties)
    if list(tree) == [WITHOUT_KEYS]:
        # What the file was, a list or a single value, which is text then.
        tree = tree[WITHOUT_KEYS]
        tree = tree if isinstance(tree, list) else as_text(tree)
    return yaml.dump(
        tree,
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
        width=10_000,
    ).removesuffix("...\n")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    # Quoted also where only SnakeYAML would take it for a number, such as 1e3.
    return dumper.represent_scalar(STR, value, style=None if is_text(value) else "'")


def _plain_if_it_may(dumper: yaml.SafeDumper, value: Filled) -> yaml.Node:
    tag = dumper.resolve(yaml.ScalarNode, str(value), (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(tag, str(value))


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Filled, _plain_if_it_may)
