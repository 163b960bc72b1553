"""Merged properties as a tree, with placeholders filled in, in YAML, JSON and properties."""

import json
from collections.abc import Mapping
from typing import Any

import yaml

from chassis.config.properties import as_text, fill_placeholders, to_tree
from config_server.model import PropertySource

Properties = Mapping[str, Any]


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
    return json.dumps(to_tree(properties), separators=(",", ":"), ensure_ascii=False)


def to_yaml(properties: Properties) -> str:
    return yaml.dump(
        to_tree(properties),
        Dumper=_Dumper,
        default_flow_style=False,
        allow_unicode=True,
        sort_keys=False,
        width=10_000,
    )


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _plain_if_it_may(dumper: yaml.SafeDumper, value: Filled) -> yaml.Node:
    tag = dumper.resolve(yaml.ScalarNode, str(value), (True, False))  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(tag, str(value))


_Dumper.add_representer(Filled, _plain_if_it_may)
