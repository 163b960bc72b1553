"""The headers of a record: CloudEvents in binary mode, and the one `b3`."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from pydantic import BaseModel

from chassis.messaging import cloudevents
from chassis.messaging.cloudevents import BadRecord
from chassis.messaging.event import Event
from chassis.observability.tracing import TraceContext

ID = UUID("0199a1f0-7c3e-7b52-9d41-5f2f0a6c1e01")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
TRACE, SPAN, PARENT = "463ac35c9f6413ad48485a3953bb6124", "a2fb4a1d1a96d312", "0020000000000001"


class Anything(BaseModel):
    """A payload of which nothing is read."""


MODELS = {"order.placed": Anything}


def span(sampled: bool = True, flags: str = "0", trace_id: str = TRACE) -> TraceContext:
    return TraceContext(trace_id, SPAN, PARENT, flags, sampled)


def headers_of(attrs: TraceContext | None = None, time: datetime = NOON) -> dict[str, bytes]:
    return dict(cloudevents.headers(ID, "order.placed", "order-service", time, attrs))


def parsed(headers: Mapping[str, bytes]) -> Event | None:
    return cloudevents.parse(b"key", b"{}", list(headers.items()), MODELS)


def test_a_record_carries_the_cloudevents_headers_and_b3() -> None:
    assert headers_of(span()) == {
        "ce_specversion": b"1.0",
        "ce_id": str(ID).encode(),
        "ce_source": b"order-service",
        "ce_type": b"order.placed",
        "ce_time": b"2026-11-21T12:00:00Z",
        "content-type": b"application/json",
        "b3": f"{TRACE}-{SPAN}-1".encode(),
    }


def test_an_event_of_no_trace_has_no_b3() -> None:
    assert "b3" not in headers_of(None)


def test_times_are_in_utc() -> None:
    one_oclock = NOON.astimezone(timezone(timedelta(hours=1)))

    assert headers_of(time=one_oclock)["ce_time"] == b"2026-11-21T12:00:00Z"


def test_what_was_written_is_read_again() -> None:
    event = parsed(headers_of(span()))

    assert event is not None
    assert (event.id, event.type, event.source) == (ID, "order.placed", "order-service")
    assert event.key == "key"


@pytest.mark.parametrize(
    "attrs",
    [span(), span(sampled=False), span(flags="1"), span(trace_id=TRACE[16:])],
    ids=["sampled", "not sampled", "debug", "64 bits"],
)
def test_a_b3_header_is_read_without_its_parent(attrs: TraceContext) -> None:
    event = parsed(headers_of(attrs))

    assert event is not None
    assert event.trace_context is not None
    assert (event.trace_context.trace_id, event.trace_context.span_id) == (
        attrs.trace_id,
        attrs.span_id,
    )
    assert (event.trace_context.is_sampled, event.trace_context.flags == "1") == (
        attrs.is_sampled,
        attrs.flags == "1",
    )
    assert event.trace_context.parent_span_id is None


@pytest.mark.parametrize("b3", [b"", b"0", b"no", b"463ac35c-zz-1", b"\xff\xfe"])
def test_a_b3_that_continues_nothing_costs_the_event_nothing(b3: bytes) -> None:
    event = parsed({**headers_of(), "b3": b3})

    assert event is not None
    assert event.trace_context is None


def test_an_event_type_that_the_consumer_does_not_read_is_ignored() -> None:
    assert parsed({**headers_of(), "ce_type": b"order.gift-wrapped"}) is None


@pytest.mark.parametrize("name", ["ce_id", "ce_type", "ce_source"])
@pytest.mark.parametrize("value", [None, b""], ids=["missing", "empty"])
def test_a_record_without_a_needed_header_is_refused_by_name(
    name: str, value: bytes | None
) -> None:
    headers = {key: content for key, content in headers_of().items() if key != name}
    headers |= {} if value is None else {name: value}

    with pytest.raises(BadRecord, match=name):
        parsed(headers)


def test_an_id_that_is_no_uuid_is_refused() -> None:
    with pytest.raises(BadRecord, match="ce_id"):
        parsed({**headers_of(), "ce_id": b"one"})
