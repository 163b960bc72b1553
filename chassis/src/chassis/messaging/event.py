"""An event as a consumer gets it, and the JSON of a payload."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.observability.tracing import TraceContext


@dataclass(frozen=True)
class Event:
    """Something that happened elsewhere: `data` is validated against the type's model.

    `trace_context` is the span in which it is handled; what is recorded in turn continues it.
    """

    id: UUID
    type: str
    source: str
    key: str
    data: Any
    trace_context: TraceContext | None = None


def encode(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, separators=(",", ":"), default=str).encode()
