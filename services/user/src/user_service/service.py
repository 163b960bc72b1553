"""What can be done with accounts: register, log in, look, change, delete."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker
from uuid_utils.compat import uuid7

from chassis.audit.entry import AuditEntry
from chassis.audit.refusals import Refusals
from chassis.core.errors import (
    Conflict,
    Overloaded,
    Unavailable,
)
from chassis.web import pagination
from chassis.web.auth import Caller
from user_service.audit.trail import AuditTrail, account_path
from user_service.clients import ORDER_SERVICE, OrderClient
from user_service.messaging import user_deleted
from user_service.models import USER, RefreshToken, User, is_email, outbox
from user_service.passwords import Passwords
from user_service.rights.access import reach, require_admin, require_other_admin
from user_service.rights.revocations import revoke
from user_service.sessions import LoginSessions, end_all, login_failed


@dataclass(frozen=True)
class Profile:
    """A user with their orders; `degraded` names the services whose part is missing."""

    user: User
    orders: list[dict[str, Any]]
    degraded: list[str] = field(default_factory=list)


class Accounts:
    """The use cases.  Hashes are made while no transaction is open: they take long."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        logins: LoginSessions,
        passwords: Passwords,
        orders: OrderClient,
        trail: AuditTrail,
        refusals: Refusals,
    ) -> None:
        self._sessions = sessions
        self._logins = logins
        self._passwords = passwords
        self._orders = orders
        self._trail = trail
        self._refusals = refusals

    def register(self, email: str, name: str, password: str) -> User:
        hashed = self._passwords.hash(password)
        with self._sessions.begin() as session:
            user = add_if_new(session, email, name, hashed)
            if user is None:
                raise email_taken()
        return user

    def log_in(self, email: str, password: str, audit: AuditEntry) -> tuple[User, RefreshToken]:
        """Unauthenticated, and after the same work, whichever of the two is wrong."""
        user = self._with_email(email)
        known = user.password_hash if user else None
        if not self._passwords.fits(password, known) or user is None:
            # Of an e-mail that nobody has here, nothing is kept.
            attempt = audit.about(None, account_path(user.user_id)) if user else audit
            self._refusals.record(attempt.refused(isKnown=user is not None))
            raise login_failed()
        token = self._logins.begin(user, audit.about(str(user.user_id), account_path(user.user_id)))
        if self._passwords.is_outdated(user.password_hash):
            self._renew_hash(user, password)
        return user, token

    def profile(self, caller: Caller, user_id: UUID, authorization: str) -> Profile:
        with self._sessions() as session:
            user = reach(session, caller, user_id)
        try:
            return Profile(user, self._orders.of(user_id, authorization))
        except Unavailable:
            return Profile(user, [], degraded=[ORDER_SERVICE])

    def users(self, caller: Caller, page: pagination.Page) -> tuple[list[User], str | None]:
        """A page in the order of the ids, and the key of its last row if more follow."""
        query = select(User).where(User.deleted_at.is_(None)).order_by(User.user_id)
        if page.after is not None:
            query = query.where(User.user_id > pagination.id_of(page.after))
        with self._sessions() as session:
            require_admin(session, caller)
            rows = list(session.scalars(query.limit(page.limit + 1)))
        more = len(rows) > page.limit
        return rows[: page.limit], str(rows[page.limit - 1].user_id) if more else None

    def change(
        self,
        caller: Caller,
        user_id: UUID,
        name: str | None,
        password: str | None,
        audit: AuditEntry,
    ) -> User:
        hashed = self._passwords.hash(password) if password is not None else None
        with self._sessions.begin() as session:
            user = reach(session, caller, user_id, lock=True)
            user.change(name, hashed)
            if hashed is not None:
                end_all(session, user_id)
            self._trail.record(session, audit)
        return user

    def delete(self, caller: Caller, user_id: UUID, audit: AuditEntry) -> None:
        with self._sessions.begin() as session:
            user = reach(session, caller, user_id, lock=True)
            require_other_admin(session, user)
            end_all(session, user_id)
            revoke(session, user_id, roles=[])
            self._trail.record(session, audit)
            outbox.record(session, [user_deleted(user.user_id, user.delete())])

    def _with_email(self, email: str) -> User | None:
        # What is no address is nobody's, and may hold what the database would not even compare.
        if not is_email(email):
            return None
        query = select(User).where(
            func.lower(User.email) == email.lower(), User.deleted_at.is_(None)
        )
        with self._sessions() as session:
            return session.scalars(query).one_or_none()

    def _renew_hash(self, user: User, password: str) -> None:
        try:
            hashed = self._passwords.hash(password)
        except Overloaded:
            return  # the next login is soon enough
        with self._sessions.begin() as session:
            session.execute(
                update(User)
                # Unless the password has been changed meanwhile.
                .where(User.user_id == user.user_id, User.password_hash == user.password_hash)
                .values(password_hash=hashed)
            )


def add_if_new(
    session: Session, email: str, name: str, password_hash: str, role: str = USER
) -> User | None:
    """Insert, and None when the e-mail has an account: its unique index decides."""
    return session.scalars(
        insert(User)
        .values(user_id=uuid7(), email=email, name=name, password_hash=password_hash, role=role)
        .on_conflict_do_nothing()
        .returning(User)
    ).one_or_none()


def email_taken() -> Conflict:
    return Conflict("There is an account with this e-mail.", code="email-taken")
