"""What a service says of a request, on its way to its caller's span."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.observability import span_tags

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.dictionaries(TEXTS, TEXTS, max_size=4))
def test_tags_arrive_as_they_were_said(tags: dict[str, str]) -> None:
    encoded = span_tags.encode(tags)

    assert encoded.isascii()
    assert encoded.isprintable()
    assert span_tags.decode(encoded) == tags


@pytest.mark.parametrize("text", ["", "&&&", "a", "a=" + "b" * 2_000, "a=b&" * 200])
def test_what_is_no_such_text_says_nothing(text: str) -> None:
    assert span_tags.decode(text) == {}


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert isinstance(span_tags.decode(text), dict)
