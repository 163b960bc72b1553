"""Events as records: CloudEvents in binary mode, JSON payloads, one `b3` header."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from py_zipkin.util import ZipkinAttrs
from pydantic import BaseModel, ValidationError

from chassis.core.clock import rfc3339
from chassis.observability import tracing

RecordHeaders = list[tuple[str, bytes]]


class BadRecord(Exception):
    """A record that no retry will mend; the text is its `dead_reason`."""


@dataclass(frozen=True)
class Event:
    """Something that happened, as it was told: `data` is validated against the type's model."""

    id: UUID
    type: str
    source: str
    key: str
    data: Any
    span: ZipkinAttrs | None = None


def headers(
    id: UUID, type: str, source: str, time: datetime, span: ZipkinAttrs | None
) -> RecordHeaders:
    said = {
        "ce_specversion": "1.0",
        "ce_id": str(id),
        "ce_source": source,
        "ce_type": type,
        "ce_time": rfc3339(time),
        "content-type": "application/json",
    }
    if span is not None:
        said["b3"] = tracing.single(span)
    return [(name, value.encode()) for name, value in said.items()]


def parse(
    key: bytes | None,
    value: bytes | None,
    record_headers: Iterable[tuple[str, bytes]],
    models: Mapping[str, type[BaseModel]],
) -> Event | None:
    """The event in a record; None when its type is none of `models`, which is no fault.

    Raises BadRecord with the reason when headers lack or the payload breaks its model.
    """
    said = {name: content.decode("utf-8", "replace") for name, content in record_headers}
    missing = [name for name in ("ce_id", "ce_type", "ce_source") if not said.get(name)]
    if missing:
        raise BadRecord(f"headers are missing: {', '.join(missing)}")
    model = models.get(said["ce_type"])
    if model is None:
        return None
    try:
        id = UUID(said["ce_id"])
    except ValueError as error:
        raise BadRecord(f"ce_id is no UUID: {said['ce_id'][:60]!r}") from error
    return Event(
        id=id,
        type=said["ce_type"],
        source=said["ce_source"],
        key=(key or b"").decode("utf-8", "replace"),
        data=_payload(value, model),
        span=tracing.incoming(said).parent,
    )


def _payload(value: bytes | None, model: type[BaseModel]) -> BaseModel:
    try:
        return model.model_validate_json(value or b"")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "payload"
        raise BadRecord(f"{where}: {first['msg']}") from error


def encode(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":"), default=str).encode()
