"""What is asked of the audit trail and answered from it."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from chassis.audit.entry import Outcome
from chassis.core.clock import rfc3339
from chassis.core.errors import FieldError, Invalid
from chassis.web.documents import EXAMPLE_ID, EXAMPLE_MOMENT, Document, Moment, Uuid
from chassis.web.operations import Parameter
from user_service.audit.trail import AuditQuery
from user_service.models import StoredAuditEntry

TEXTS = {
    "service": ("Of that service.", "catalog-service"),
    "action": ("Of that action.", "login"),
    "actor": ("Of who did it: the id of a user.", EXAMPLE_ID),
    "target": ("About that thing: its path within the service.", f"/users/{EXAMPLE_ID}"),
    "source": ("From that address.", "203.0.113.7"),
    "traceId": ("In that trace.", "4bf92f3577b34da6a3ce929d0e0e4736"),
}
COLUMNS = {"traceId": "trace_id"}
MOMENTS = {"since": "Not before that moment.", "until": "Before that moment."}
RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
PARAMETERS = (
    *(
        Parameter(name, "query", text, {"type": "string"}, example)
        for name, (text, example) in TEXTS.items()
    ),
    Parameter(
        "outcome",
        "query",
        "With that outcome.",
        {"type": "string", "enum": [outcome.value for outcome in Outcome]},
        Outcome.REFUSED.value,
    ),
    *(
        Parameter(name, "query", text, {"type": "string", "format": "date-time"}, EXAMPLE_MOMENT)
        for name, text in MOMENTS.items()
    ),
)
FILTERS = tuple(parameter.name for parameter in PARAMETERS)


class AuditEntryDocument(Document):
    """`times` is more than one for refusals that were told together."""

    entryId: Uuid
    occurredAt: Moment
    service: Annotated[str, Field(examples=["user-service"])]
    action: Annotated[str, Field(examples=["login"])]
    outcome: Annotated[str, Field(examples=["refused"])]
    target: Annotated[str, Field(examples=[f"/users/{EXAMPLE_ID}"])]
    actor: Annotated[str | None, Field(examples=[EXAMPLE_ID])]
    source: Annotated[str | None, Field(examples=["203.0.113.7"])]
    traceId: Annotated[str | None, Field(examples=["4bf92f3577b34da6a3ce929d0e0e4736"])]
    times: Annotated[int, Field(examples=[1])]
    detail: Annotated[dict[str, Any], Field(examples=[{"isKnown": True}])]


def query_of(given: Mapping[str, str]) -> AuditQuery:
    """Raises Invalid with a line for each filter that is none."""
    moments = {name: _moment(given[name]) for name in MOMENTS if name in given}
    errors: list[FieldError] = [
        {"field": name, "message": f"a time, as {EXAMPLE_MOMENT}"}
        for name, moment in moments.items()
        if moment is None
    ]
    if given.get("outcome", Outcome.DONE) not in list(Outcome):
        errors.append({"field": "outcome", "message": f"one of {', '.join(Outcome)}"})
    if errors:
        raise Invalid("Some fields are wrong.", errors=errors)
    equal = {COLUMNS.get(name, name): given[name] for name in (*TEXTS, "outcome") if name in given}
    return AuditQuery(equal, **moments)


def _moment(text: str) -> datetime | None:
    if not RFC3339.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def entry_json(row: StoredAuditEntry) -> AuditEntryDocument:
    return {
        "entryId": str(row.entry_id),
        "occurredAt": rfc3339(row.occurred_at),
        "service": row.service,
        "action": row.action,
        "outcome": row.outcome,
        "target": row.target,
        "actor": row.actor,
        "source": row.source,
        "traceId": row.trace_id,
        "times": row.times,
        "detail": row.detail,
    }
