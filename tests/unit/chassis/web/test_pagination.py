"""Pages of a list by key."""

import string
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.core.errors import Invalid
from chassis.web import pagination


@given(st.text(string.ascii_letters + string.digits + "-._~ é", min_size=1, max_size=40))
def test_a_cursor_comes_back_as_the_key_it_was_made_of(key: str) -> None:
    link = pagination.next_link("/x", pagination.Page(limit=7), key)["Link"]
    query = urlsplit(link.partition("<")[2].partition(">")[0]).query
    args = dict(parse_qsl(query))

    assert pagination.requested(args) == pagination.Page(7, key)


@pytest.mark.parametrize(
    "args", [{"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"cursor": "!"}, {"cursor": ""}]
)
def test_an_invalid_limit_or_cursor_is_refused_with_its_field(args: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        pagination.requested(args)

    assert refused.value.errors[0]["field"] == next(iter(args))
