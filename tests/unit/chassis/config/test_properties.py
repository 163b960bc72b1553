"""Flat keys and their tree, and placeholders."""

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chassis.config.properties import fill_placeholders, to_tree

LEAVES = st.integers() | st.booleans() | st.text(max_size=5)
KEYS = st.text("abc-", min_size=1, max_size=4)
TREES = st.dictionaries(
    KEYS,
    st.recursive(
        LEAVES,
        lambda inner: (
            st.lists(inner, min_size=1, max_size=12)
            | st.dictionaries(KEYS, inner, min_size=1, max_size=3)
        ),
        max_leaves=20,
    ),
    max_size=4,
)


def leaves(path: str, node: Any) -> Iterator[tuple[str, Any]]:
    """As Spring flattens a document: `a.b[0]`."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from leaves(f"{path}.{key}" if path else key, child)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from leaves(f"{path}[{index}]", child)
    else:
        yield path, node


@given(TREES)
def test_flat_keys_become_the_tree_they_came_from(tree: dict[str, Any]) -> None:
    assert to_tree(dict(leaves("", tree))) == tree


def test_placeholders_are_filled_from_the_environment_with_a_default() -> None:
    filled = fill_placeholders(
        "${HOST:here}:${KAFKA_PORT:9092}/${UNKNOWN}", {"KAFKA_PORT": "19092"}
    )

    assert filled == "here:19092/${UNKNOWN}"
