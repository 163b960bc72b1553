"""The query that the service sees."""

import pytest

from gateway.routing import route_definitions
from gateway.routing.request_view import RequestView


def seen(query: str, *filters: str) -> str:
    entry = {"id": "r", "uri": "lb://x", "predicates": ["Path=/{kind}/**"], "filters": [*filters]}
    (route,) = route_definitions.parse([entry])
    return route.inner_query(RequestView("GET", "/a%2Fb/c", query))


@pytest.mark.parametrize(
    ("query", "text", "becomes"),
    [
        ("", "AddRequestParameter=color, blue", "color=blue"),
        ("a=1", "AddRequestParameter=color, {kind}", "a=1&color=a%2Fb"),
        ("a=1", "AddRequestParameter=c&d, x y", "a=1&c%26d=x%20y"),
        ("a=1&b=2&a=3", "RemoveRequestParameter=a", "b=2"),
        ("%61=1&b=2", "RemoveRequestParameter=a", "b=2"),
        ("a", "RemoveRequestParameter=a", ""),
        ("b=%20&c", "RemoveRequestParameter=a", "b=%20&c"),
        ("a=1&b=2&a=3", "RewriteRequestParameter=a, z", "a=z&b=2"),
        ("b=2", "RewriteRequestParameter=a, z", "b=2"),
    ],
)
def test_a_parameter_is_added_removed_or_rewritten(query: str, text: str, becomes: str) -> None:
    assert seen(query, text) == becomes


def test_several_changes_are_made_in_their_order() -> None:
    texts = "AddRequestParameter=a, 1", "RewriteRequestParameter=a, 2", "AddRequestParameter=b, 3"

    assert seen("x=%C3%A9", *texts) == "x=%C3%A9&a=2&b=3"
