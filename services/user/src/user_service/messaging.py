"""Events out: the payloads, in user-service's own words."""

from datetime import datetime
from uuid import UUID

from chassis.core.clock import rfc3339
from chassis.messaging.outbox import Message

USERS = "users"


def user_deleted(user_id: UUID, deleted_at: datetime) -> Message:
    data = {"userId": str(user_id), "deletedAt": rfc3339(deleted_at)}
    return Message(USERS, str(user_id), "user.deleted", data)
