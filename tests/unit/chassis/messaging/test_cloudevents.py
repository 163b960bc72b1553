"""Kafka records as CloudEvents."""

from contextlib import suppress
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from chassis.messaging import cloudevents
from chassis.messaging.cloudevents import BadRecord


class Payload(BaseModel):
    name: str


def headers(**texts: str) -> list[tuple[str, bytes]]:
    ce_headers = {"ce_id": str(uuid4()), "ce_type": "thing.done", "ce_source": "x", **texts}
    return [(name, value.encode()) for name, value in ce_headers.items() if value]


WRONG = [
    (b"{", {}, "Invalid JSON"),
    (b"{}", {}, "name: Field required"),
    (None, {}, "Invalid JSON"),
    (b"{}", {"ce_id": ""}, "headers are missing: ce_id"),
    (b"{}", {"ce_id": "7"}, "ce_id is no UUID"),
]


@pytest.mark.parametrize(("value", "texts", "reason"), WRONG)
def test_a_wrong_record_says_what_is_wrong(
    value: bytes | None, texts: dict[str, str], reason: str
) -> None:
    with pytest.raises(BadRecord, match=reason):
        cloudevents.parse(b"k", value, headers(**texts), {"thing.done": Payload})


def test_an_event_of_a_type_that_is_not_read_is_no_fault() -> None:
    assert (
        cloudevents.parse(b"k", b"{}", headers(ce_type="other.done"), {"thing.done": Payload})
        is None
    )


def test_a_header_without_a_value_says_nothing() -> None:
    good = [*headers(), ("x-note", None), ("b3", None)]

    event = cloudevents.parse(b"k", b'{"name": "a"}', good, {"thing.done": Payload})

    assert event is not None
    with pytest.raises(BadRecord, match="headers are missing: ce_id"):
        cloudevents.parse(b"k", b"{}", [*headers(ce_id=""), ("ce_id", None)], {})


HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_source", "b3", "x-note"]),
        st.none() | st.binary() | st.sampled_from([b"thing.done", str(uuid4()).encode()]),
    )
)
VALUES = st.none() | st.binary() | st.just(b"[" * 200_000) | st.just(b'{"name": "a"}')


@given(st.none() | st.binary(), VALUES, st.none() | HEADERS)
def test_any_record_is_read_ignored_or_bad(
    key: bytes | None, value: bytes | None, record_headers: list[tuple[str, bytes | None]] | None
) -> None:
    with suppress(BadRecord):
        cloudevents.parse(key, value, record_headers, {"thing.done": Payload})
