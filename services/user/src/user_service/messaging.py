"""Events in and out: the payloads, in user-service's own words.

In: what is done and refused in other services, for the audit trail.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field
from pydantic.alias_generators import to_camel
from sqlalchemy.orm import Session

from chassis.core.clock import rfc3339
from chassis.messaging.event import Event
from chassis.messaging.outbox import Message

AppendToTrail = Callable[[Session, Sequence[Mapping[str, Any]]], None]

USERS = "users"
TOPICS = ("audit",)


class AuditRecorded(BaseModel):
    """Fields that we do not read may come and go: that is the sender's business."""

    model_config = {"alias_generator": to_camel, "frozen": True}

    entry_id: UUID
    occurred_at: AwareDatetime
    action: str
    outcome: Literal["done", "refused"]
    target: str
    actor: str | None = None
    source: str | None = None
    trace_id: str | None = None
    times: Annotated[int, Field(ge=1)] = 1
    detail: dict[str, Any] = {}


EVENT_TYPES: dict[str, type[BaseModel]] = {"audit.recorded": AuditRecorded}


def handler(append: AppendToTrail) -> Callable[[Session, Sequence[Event]], None]:
    """Appends a batch to the trail, each entry under the name of the service that sent it."""

    def handle(session: Session, events: Sequence[Event]) -> None:
        append(session, [{**event.data.model_dump(), "service": event.source} for event in events])

    return handle


def user_deleted(user_id: UUID, deleted_at: datetime) -> Message:
    data = {"userId": str(user_id), "deletedAt": rfc3339(deleted_at)}
    return Message(USERS, str(user_id), "user.deleted", data)
