"""JSON from outside: what all parsers read alike is read, and the rest is refused with a word."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.core import strict_json
from chassis.core.errors import BadRequest

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_what_is_json_is_read_as_it_was_written(value: Any) -> None:
    assert strict_json.loads(json.dumps(value).encode()) == value
    assert strict_json.loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_any_bytes_are_a_value_or_a_bad_request(content: bytes) -> None:
    with contextlib.suppress(BadRequest):
        strict_json.loads(content)


@given(VALUES, VALUES, st.text(), st.integers(0, 20))
def test_a_name_that_stands_twice_is_refused_wherever_it_is(
    first: Any, second: Any, name: str, depth: int
) -> None:
    key = json.dumps(name)
    inner = f'{{{key}: {json.dumps(first)}, "between": 1, {key}: {json.dumps(second)}}}'
    body = '[{"a": ' * depth + inner + "}]" * depth

    with pytest.raises(BadRequest, match="twice in one object"):
        strict_json.loads(body.encode())


def test_a_name_is_the_same_however_it_is_escaped() -> None:
    with pytest.raises(BadRequest, match='says "qty" twice'):
        strict_json.loads(rb'{"qty": 1, "\u0071ty": 2}')


def test_the_same_name_in_two_objects_is_fine() -> None:
    assert strict_json.loads(b'[{"qty": 1}, {"qty": {"qty": 2}}]') == [
        {"qty": 1},
        {"qty": {"qty": 2}},
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "no JSON"),
        (b"\xff", "no UTF-8 at byte 0"),
        (b"\xef\xbb\xbf{}", "no JSON"),
        ('{"qty": 1}'.encode("utf-16"), "no UTF-8"),
        (b'{"qty": NaN}', "NaN is no number"),
        (b"[Infinity]", "Infinity is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"[1e999]", "beyond all bounds: 1e999"),
        (b"[" + b"9" * 5000 + b"]", "no JSON"),
        (b"[" * 200_000, "nested deeper than 100 levels"),
        (b'{"a":' * 200_000, "nested deeper than 100 levels"),
        (b"[" * 101 + b"]" * 101, "nested deeper than 100 levels"),
        (b'{"qty": 1} {}', "no JSON"),
    ],
)
def test_what_only_some_parsers_read_is_refused_with_the_reason(body: bytes, reason: str) -> None:
    with pytest.raises(BadRequest, match=reason):
        strict_json.loads(body)


def test_a_wide_body_is_not_a_deep_one() -> None:
    body = b"[" * 100 + b"]" * 100

    assert strict_json.loads(body)
    assert len(strict_json.loads(b"[" + b",".join([b"[{}]"] * 500) + b"]")) == 500
