"""Entries of a process that has no outbox: the gateway tells them itself."""

from functools import partial

from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session, sessionmaker

from chassis.actuator.endpoints import Actuator, ActuatorRequest, ActuatorResponse
from chassis.core.errors import Invalid
from user_service.messaging import AppendToTrail, AuditRecorded

REPORTS = TypeAdapter(list[AuditRecorded])
REPORTER = "gateway"


def add_endpoint(
    actuator: Actuator, sessions: sessionmaker[Session], append: AppendToTrail
) -> None:
    actuator.add("audit", partial(_append, sessions, append), "POST")


def _append(
    sessions: sessionmaker[Session], append: AppendToTrail, request: ActuatorRequest
) -> ActuatorResponse:
    try:
        entries = REPORTS.validate_json(request.body)
    except ValidationError as error:
        raise Invalid("These are no entries of the audit trail.") from error
    if entries:
        with sessions.begin() as session:
            append(session, [{**entry.model_dump(), "service": REPORTER} for entry in entries])
    return ActuatorResponse(b"", 204)
