"""Events as records: CloudEvents in binary mode, JSON payloads, `b3` and `baggage`."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from pydantic import BaseModel, ValidationError

from chassis.core.clock import rfc3339
from chassis.messaging.event import Event
from chassis.observability import propagation, tracing
from chassis.observability.tracing import TraceContext

# Others are not looked at.
READ = frozenset(("ce_id", "ce_type", "ce_source", *propagation.PROPAGATION_HEADERS))

RecordHeaders = list[tuple[str, bytes]]


class BadRecord(Exception):
    """A record that no retry will mend; the text is its `dead_reason`."""


def headers(
    id: UUID, type: str, source: str, time: datetime, span: TraceContext | None
) -> RecordHeaders:
    headers = [*_of_kind(type, source), _time(time), ("ce_id", str(id).encode())]
    if span is not None:
        headers += [(name, text.encode()) for name, text in propagation.to_record(span)]
    return headers


@lru_cache(maxsize=256)
def _of_kind(type: str, source: str) -> tuple[tuple[str, bytes], ...]:
    """What all events of a type have in common, encoded once."""
    return (
        ("ce_specversion", b"1.0"),
        ("content-type", b"application/json"),
        ("ce_source", source.encode()),
        ("ce_type", type.encode()),
    )


@lru_cache(maxsize=16)
def _time(time: datetime) -> tuple[str, bytes]:
    """Events of one transaction have one time."""
    return "ce_time", rfc3339(time).encode()


def parse(
    key: bytes | None,
    value: bytes | None,
    record_headers: Iterable[tuple[str, bytes | None]] | None,
    models: Mapping[str, type[BaseModel]],
) -> Event | None:
    """The event in a record; None when its type is none of `models`, which is no fault.

    Raises BadRecord with the reason when headers lack or the payload breaks its model.
    """
    texts = _texts(record_headers)
    missing = [name for name in ("ce_id", "ce_type", "ce_source") if not texts.get(name)]
    if missing:
        raise BadRecord(f"headers are missing: {', '.join(missing)}")
    model = models.get(texts["ce_type"])
    if model is None:
        return None
    try:
        id = UUID(texts["ce_id"])
    except ValueError as error:
        raise BadRecord(f"ce_id is no UUID: {texts['ce_id'][:60]!r}") from error
    return Event(
        id=id,
        type=texts["ce_type"],
        source=texts["ce_source"],
        key=(key or b"").decode("utf-8", "replace"),
        data=_payload(value, model),
        trace_context=tracing.incoming(texts).parent,
    )


def trace_context(
    record_headers: Iterable[tuple[str, bytes | None]] | None,
) -> TraceContext | None:
    """The span that a record continues, whatever else is wrong with it."""
    return tracing.incoming(_texts(record_headers)).parent


def _texts(record_headers: Iterable[tuple[str, bytes | None]] | None) -> dict[str, str]:
    # Kafka's format allows a header without a value: it says nothing.
    return {
        name: content.decode("utf-8", "replace")
        for name, content in record_headers or ()
        if content is not None and name in READ
    }


def _payload(value: bytes | None, model: type[BaseModel]) -> BaseModel:
    try:
        return model.model_validate_json(value or b"")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "payload"
        raise BadRecord(f"{where}: {first['msg']}") from error
