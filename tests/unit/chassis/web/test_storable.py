"""Text that no column can hold is found wherever it stands in a body."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.web.storable import is_storable, unstorable_fields

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("text", ["A\x00", "\x00", "a\ud800b", "\udfff"])
def test_nul_and_half_surrogates_cannot_be_stored(text: str) -> None:
    assert not is_storable(text)


@given(st.text(st.characters(exclude_categories=())))
def test_text_can_be_stored_when_it_is_utf_8_without_nul(text: str) -> None:
    try:
        expected = b"\x00" not in text.encode()
    except UnicodeEncodeError:
        expected = False

    assert is_storable(text) is expected


@given(JSON)
def test_a_body_without_such_text_has_no_such_field(value: Any) -> None:
    try:
        plain = "\\u0000" not in json.dumps(value) and bool(
            json.dumps(value, ensure_ascii=False).encode()
        )
    except UnicodeEncodeError:
        plain = False
    if plain:
        assert list(unstorable_fields(value)) == []


def test_a_field_is_named_by_its_path() -> None:
    body = {"lines": [{"productId": "A\x00", "qty": 1}], "na\x00me": 1, "fine": "é"}

    assert list(unstorable_fields(body)) == ["lines.0.productId", "na?me"]
