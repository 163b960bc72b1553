"""Kafka records as CloudEvents."""

from uuid import uuid4

import pytest
from pydantic import BaseModel

from chassis.messaging import cloudevents
from chassis.messaging.cloudevents import BadRecord


class Payload(BaseModel):
    name: str


def headers(**given: str) -> list[tuple[str, bytes]]:
    ce_headers = {"ce_id": str(uuid4()), "ce_type": "thing.done", "ce_source": "x", **given}
    return [(name, value.encode()) for name, value in ce_headers.items() if value]


WRONG = [
    (b"{", {}, "Invalid JSON"),
    (b"{}", {}, "name: Field required"),
    (None, {}, "Invalid JSON"),
    (b"{}", {"ce_id": ""}, "headers are missing: ce_id"),
    (b"{}", {"ce_id": "7"}, "ce_id is no UUID"),
]


@pytest.mark.parametrize(("value", "given", "reason"), WRONG)
def test_a_wrong_record_says_what_is_wrong(
    value: bytes | None, given: dict[str, str], reason: str
) -> None:
    with pytest.raises(BadRecord, match=reason):
        cloudevents.parse(b"k", value, headers(**given), {"thing.done": Payload})


def test_an_event_of_a_type_that_is_not_read_is_no_fault() -> None:
    assert (
        cloudevents.parse(b"k", b"{}", headers(ce_type="other.done"), {"thing.done": Payload})
        is None
    )
