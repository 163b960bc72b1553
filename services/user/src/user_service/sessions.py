"""Login sessions: what a refresh token stands for, and every way in which one ends.

Refresh tokens are rotated (RFC 9700, 4.14.2): each use gives a new one, and whoever shows one that
was used already has it from somebody else, or somebody else has it from them: the session ends.
"""

import hmac
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from chassis.audit.entry import AuditEntry
from chassis.core.errors import Unauthenticated
from chassis.core.live import Live
from user_service.audit.trail import AuditTrail, account_path
from user_service.models import LoginSession, RefreshToken, User
from user_service.settings import TokenSettings


class LoginSessions:
    """Each is a family of refresh tokens, of which the one that was issued last is good."""

    def __init__(
        self, sessions: sessionmaker[Session], settings: Live[TokenSettings], trail: AuditTrail
    ) -> None:
        self._sessions = sessions
        self._settings = settings
        self._trail = trail

    def begin(self, user: User, audit: AuditEntry) -> RefreshToken:
        """Raises Unauthenticated when the account has changed since its password was checked."""
        token, now = RefreshToken.new(), datetime.now(UTC)
        with self._sessions.begin() as session:
            unchanged = (
                select(User.user_id)
                .where(
                    User.user_id == user.user_id,
                    User.password_hash == user.password_hash,
                    User.deleted_at.is_(None),
                )
                .with_for_update(read=True)
            )
            if session.scalar(unchanged) is None:
                raise login_failed()
            session.add(
                LoginSession(
                    session_id=token.session_id,
                    user_id=user.user_id,
                    token_hash=token.hash(),
                    created_at=now,
                    expires_at=self._expiry(now, now),
                )
            )
            self._trail.record(session, audit)
        return token

    def refresh(self, text: str, audit: AuditEntry) -> tuple[User, RefreshToken]:
        """The session's user, and the token that is good from now on.

        Raises Unauthenticated; for a token that was used already, the session has ended then.
        """
        token = RefreshToken.parse(text)
        renewed = self._rotate(token, audit) if token else None
        if renewed is None:
            raise invalid_grant()
        return renewed

    def _rotate(self, token: RefreshToken, audit: AuditEntry) -> tuple[User, RefreshToken] | None:
        now = datetime.now(UTC)
        query = (
            select(LoginSession, User)
            .join(User, User.user_id == LoginSession.user_id)
            .where(
                LoginSession.session_id == token.session_id,
                LoginSession.expires_at > now,
                User.deleted_at.is_(None),
            )
            .with_for_update(of=LoginSession)
        )
        with self._sessions.begin() as session:
            row = session.execute(query).one_or_none()
            if row is None:
                return None
            login, user = row
            if not hmac.compare_digest(login.token_hash, token.hash()):
                session.delete(login)
                reused = audit.about(None, account_path(user.user_id)).refused(isReused=True)
                self._trail.record(session, reused)
                return None
            successor = RefreshToken.new(token.session_id)
            login.rotate(successor, self._expiry(now, login.created_at))
        return user, successor

    def end(self, session_id: UUID) -> None:
        """One that has ended already is left so."""
        with self._sessions.begin() as session:
            session.execute(delete(LoginSession).where(LoginSession.session_id == session_id))

    def end_of_token(self, text: str) -> None:
        """That of a refresh token, whether it was used already or not (RFC 7009)."""
        if token := RefreshToken.parse(text):
            self.end(token.session_id)

    def _expiry(self, now: datetime, began: datetime) -> datetime:
        """Some time after the last use, and some longer one after the login, whatever is used."""
        settings = self._settings.value
        return min(
            now + timedelta(days=settings.refresh_lifetime_days),
            began + timedelta(days=settings.session_lifetime_days),
        )


def end_all(session: Session, user_id: UUID) -> None:
    """In the transaction of what is a reason to."""
    session.execute(delete(LoginSession).where(LoginSession.user_id == user_id))


def login_failed() -> Unauthenticated:
    """The same, whichever of the two is wrong."""
    return Unauthenticated("The e-mail or the password is wrong.", code="login-failed")


def invalid_grant() -> Unauthenticated:
    return Unauthenticated(
        "The refresh token is not valid, or not any more: log in again.", code="invalid-grant"
    )
