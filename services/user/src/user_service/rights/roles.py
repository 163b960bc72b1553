"""What can be done with the roles of an account: look, give, take."""

from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from chassis.audit.entry import AuditEntry
from chassis.core.errors import Conflict, NotFound
from chassis.web.auth import Caller
from user_service.audit.trail import AuditTrail
from user_service.models import ADMIN, ROLES, USER, User
from user_service.rights.access import reach, require_admin, require_other_admin
from user_service.rights.revocations import revoke


class Roles:
    """An admin gives and takes them; everybody sees their own."""

    def __init__(self, sessions: sessionmaker[Session], trail: AuditTrail) -> None:
        self._sessions = sessions
        self._trail = trail

    def of(self, caller: Caller, user_id: UUID) -> list[str]:
        with self._sessions() as session:
            return reach(session, caller, user_id).roles

    def give(self, caller: Caller, user_id: UUID, role: str, audit: AuditEntry) -> None:
        """Who has it already keeps it."""
        with self._sessions.begin() as session:
            user = _changeable(session, caller, user_id, role)
            if role not in user.roles:
                user.role = role
                revoke(session, user_id, roles=user.roles)
                self._trail.record(session, audit)

    def take(self, caller: Caller, user_id: UUID, role: str, audit: AuditEntry) -> None:
        """Raises Conflict `last-admin`, and for the role that everybody has."""
        with self._sessions.begin() as session:
            user = _changeable(session, caller, user_id, role)
            if role == USER:
                raise everybodys()
            if role in user.roles:
                require_other_admin(session, user)
                user.role = USER
                revoke(session, user_id, roles=user.roles)
                self._trail.record(session, audit)


def _changeable(session: Session, caller: Caller, user_id: UUID, role: str) -> User:
    user = reach(session, caller, user_id, lock=True)
    require_admin(session, caller)
    if role not in ROLES:
        raise role_unknown(role)
    return user


def role_unknown(role: str) -> NotFound:
    return NotFound(f"There is no role {role}, only {USER} and {ADMIN}.", code="role-unknown")


def everybodys() -> Conflict:
    return Conflict("Everybody has this role: delete the account instead.")
