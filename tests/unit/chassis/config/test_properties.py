"""Flat keys become a tree."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chassis.config.settings import nested

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


def flatten(node: Any, path: str = "") -> dict[str, Any]:
    if isinstance(node, dict):
        pairs = [(f"{path}.{key}" if path else key, value) for key, value in node.items()]
    elif isinstance(node, list):
        pairs = [(f"{path}[{index}]", value) for index, value in enumerate(node)]
    else:
        return {path: node}
    return {key: leaf for where, value in pairs for key, leaf in flatten(value, where).items()}


@given(TREES)
def test_flat_keys_become_the_tree_they_came_from(tree: dict[str, Any]) -> None:
    assert nested(flatten(tree)) == tree
