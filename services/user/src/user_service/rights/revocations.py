"""What tokens may no longer be believed, told to everybody who checks them."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from chassis.actuator.endpoints import Actuator, ActuatorRequest, ActuatorResponse, json_response
from chassis.core.errors import Invalid
from chassis.core.live import Live
from chassis.data.housekeeping import TimeToLive
from chassis.web.revocations import ENDPOINT, MOST_ACCOUNTS
from user_service.models import Revocation
from user_service.settings import MARGIN_SECONDS

SECONDS = re.compile(r"[0-9]{1,11}(?:\.[0-9]{1,9})?")


def revoke(session: Session, user_id: UUID, roles: Sequence[str]) -> None:
    """Of the roles in the account's tokens only these are left from now on; none: it is closed.

    A role that was given back is told in the same way: tokens from before are good again.
    """
    values = {"roles": list(roles), "revoked_at": func.now()}
    statement = insert(Revocation).values(user_id=user_id, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["user_id"], set_=values))


class RevocationList:
    """`lifetime` is that of a token, in seconds: for longer nothing has to be told."""

    def __init__(self, sessions: sessionmaker[Session], lifetime: Live[int]) -> None:
        self._sessions = sessions
        self._keep = lifetime.map(lambda seconds: seconds + MARGIN_SECONDS)

    def time_to_live(self) -> TimeToLive:
        return TimeToLive(
            Revocation.revoked_at, self._keep.map(lambda seconds: timedelta(seconds=seconds))
        )

    def since(self, moment: float) -> dict[str, Any]:
        """What has been revoked since `moment`, which the last answer has called `asOf`.

        The newest when there are very many, so that the answer has a bound.
        """
        with self._sessions() as session:
            as_of = float(session.scalar(select(func.extract("epoch", func.now()))) or 0)
            since = func.to_timestamp(max(moment, as_of - self._keep.value))
            query = select(Revocation).where(Revocation.revoked_at >= since)
            newest = query.order_by(Revocation.revoked_at.desc()).limit(MOST_ACCOUNTS)
            accounts = {str(row.user_id): row.roles for row in session.scalars(newest)}
        return {"asOf": as_of, "keepSeconds": self._keep.value, "accounts": accounts}


def add_endpoint(actuator: Actuator, revocations: RevocationList) -> None:
    """Among the inner pages: from outside it would tell a stranger who has left."""

    def since(request: ActuatorRequest) -> ActuatorResponse:
        if not SECONDS.fullmatch(request.name):
            raise Invalid("Give a time in seconds, as `asOf` of the last answer.")
        return json_response(revocations.since(float(request.name)))

    actuator.add(f"{ENDPOINT}/*", since)
