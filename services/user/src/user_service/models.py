"""Accounts and their rules."""

import hashlib
import re
import secrets
from base64 import b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Index, String, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.messaging.inbox import Inbox
from chassis.messaging.outbox import Outbox

# What browsers take for an address in <input type=email>, with at least one dot in the domain.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
EMAIL_PATTERN = rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+"
_EMAIL = re.compile(EMAIL_PATTERN)
LONGEST_EMAIL = 254

# Everybody has the first; an admin has both.
USER, ADMIN = "user", "admin"
ROLES = (USER, ADMIN)


def is_email(text: str) -> bool:
    return len(text) <= LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True), list[str]: ARRAY(String)}


outbox = Outbox(Base.metadata)
inbox = Inbox(Base.metadata)


class User(Base):
    """An account.  A deleted one keeps its row for a while; its address may be registered again."""

    __tablename__ = "users"
    __table_args__ = (
        Index(
            "users_email_once",
            text("lower(email)"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
        ),
        Index("ix_users_deleted_at", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
        Index(
            "ix_users_admins", "id", postgresql_where=text("role = 'admin' AND deleted_at IS NULL")
        ),
    )

    user_id: Mapped[UUID] = mapped_column("id", primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]

    @property
    def is_admin(self) -> bool:
        return self.role == ADMIN

    @property
    def roles(self) -> list[str]:
        return [USER, ADMIN] if self.is_admin else [USER]

    def change(self, name: str | None, password_hash: str | None) -> None:
        self.name = name if name is not None else self.name
        self.password_hash = password_hash if password_hash is not None else self.password_hash

    def delete(self) -> datetime:
        self.deleted_at = datetime.now(UTC)
        return self.deleted_at


class Revocation(Base):
    """Tokens of this account may say more than is so: of their roles only `roles` are left.

    With none the account is closed.  It is for as long as tokens from before can live.
    """

    __tablename__ = "revocations"

    # No foreign key: it outlives the row of a deleted account that is purged early.
    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    roles: Mapped[list[str]]
    revoked_at: Mapped[datetime] = mapped_column(index=True)


class StoredAuditEntry(Base):
    """Nothing changes it: a trigger refuses that, and lets it be deleted after `keep_until`."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index("ix_audit_entries_actor", "actor", "entry_id"),)

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    occurred_at: Mapped[datetime]
    keep_until: Mapped[datetime] = mapped_column(index=True)
    service: Mapped[str]
    action: Mapped[str]
    outcome: Mapped[str]
    target: Mapped[str]
    actor: Mapped[str | None]
    source: Mapped[str | None]
    trace_id: Mapped[str | None]
    times: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB)


SECRET_BYTES = 32
# Of the session's id and the secret, in base64 without padding.
REFRESH_TOKEN = re.compile("[A-Za-z0-9_-]{64}")


@dataclass(frozen=True)
class RefreshToken:
    """Opaque to all others: which session, and a secret of which only the hash is kept."""

    session_id: UUID
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, session_id: UUID | None = None) -> "RefreshToken":
        return cls(session_id or uuid4(), secrets.token_bytes(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> "RefreshToken | None":
        """None for what can be none of ours."""
        if not REFRESH_TOKEN.fullmatch(text):
            return None
        content = b64decode(text, altchars=b"-_")
        return cls(UUID(bytes=content[:-SECRET_BYTES]), content[-SECRET_BYTES:])

    def text(self) -> str:
        return urlsafe_b64encode(self.session_id.bytes + self.secret).decode()

    def hash(self) -> bytes:
        """A fast one will do: there is nothing to guess in 256 random bits."""
        return hashlib.sha256(self.secret).digest()


class LoginSession(Base):
    """From a login to the logout: a family of refresh tokens, of which the newest is good."""

    __tablename__ = "login_sessions"

    session_id: Mapped[UUID] = mapped_column("id", primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    token_hash: Mapped[bytes]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)

    def rotate(self, successor: RefreshToken, expires_at: datetime) -> None:
        self.token_hash = successor.hash()
        self.expires_at = expires_at
