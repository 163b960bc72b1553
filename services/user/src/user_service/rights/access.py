"""Who reaches which account: by what the database says now, not by the word of a token alone."""

from uuid import UUID

from sqlalchemy import exists, select, text
from sqlalchemy.orm import Session

from chassis.core.errors import Conflict, InsufficientScope, InvalidToken, NotFound, NotTheirs
from chassis.web.auth import Caller
from user_service.models import ADMIN, User

# Until the end of the transaction, and always the last lock that is taken in it.
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext('the last admin'))")


def reach(session: Session, caller: Caller, user_id: UUID, *, lock: bool = False) -> User:
    """The account `user_id`, for its own user and for an admin.

    Raises InvalidToken when the caller's account is gone, and to whom it is no business the same
    NotFound whether there is such an account or not.
    """
    users = _rows(session, {caller.id(), user_id}, lock=lock)
    own = _own(users, caller)
    if user_id == own.user_id:
        return own
    if not _is_admin(own, caller):
        raise user_unknown(user_id, NotTheirs)
    if user_id not in users:
        raise user_unknown(user_id)
    return users[user_id]


def require_admin(session: Session, caller: Caller) -> None:
    if not _is_admin(_own(_rows(session, {caller.id()}), caller), caller):
        raise InsufficientScope("Only an admin may do this.")


def require_other_admin(session: Session, user: User) -> None:
    """Raises Conflict `last-admin` when `user`, whose row is locked already, is the only one.

    Of two who are to lose the role at the same time, one waits here for what becomes of the other.
    """
    if not user.is_admin:
        return
    session.execute(ONE_AT_A_TIME)
    others = exists().where(
        User.role == ADMIN, User.deleted_at.is_(None), User.user_id != user.user_id
    )
    if not session.scalar(select(others)):
        raise last_admin()


def user_unknown(user_id: UUID, kind: type[NotFound] = NotFound) -> NotFound:
    return kind(f"There is no user {user_id}.", code="user-unknown")


def last_admin() -> Conflict:
    return Conflict("This is the only admin: make somebody else one first.", code="last-admin")


def _is_admin(user: User, caller: Caller) -> bool:
    """Both have to say so: a token reaches no further than its roles."""
    return user.is_admin and caller.is_admin


def _own(users: dict[UUID, User], caller: Caller) -> User:
    if caller.id() not in users:
        raise InvalidToken("The account of this token has been deleted.")
    return users[caller.id()]


def _rows(session: Session, user_ids: set[UUID], *, lock: bool = False) -> dict[UUID, User]:
    """Those that are not deleted, locked in the order of their ids."""
    query = select(User).where(User.user_id.in_(user_ids), User.deleted_at.is_(None))
    query = query.order_by(User.user_id)
    rows = session.scalars(query.with_for_update() if lock else query)
    return {user.user_id: user for user in rows}
