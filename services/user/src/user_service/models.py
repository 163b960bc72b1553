"""Accounts and their rules."""

import re
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, func, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.messaging.outbox import Outbox

# What browsers take for an address in <input type=email>, with at least one dot in the domain.
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{_LABEL}(?:\.{_LABEL})+")
LONGEST_EMAIL = 254


def is_email(text: str) -> bool:
    return len(text) <= LONGEST_EMAIL and _EMAIL.fullmatch(text) is not None


class Base(DeclarativeBase):
    type_annotation_map = {datetime: DateTime(timezone=True)}


outbox = Outbox(Base.metadata)


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
    )

    user_id: Mapped[UUID] = mapped_column("id", primary_key=True)
    email: Mapped[str]
    name: Mapped[str]
    password_hash: Mapped[str]
    role: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    deleted_at: Mapped[datetime | None]

    def change(self, name: str | None, password_hash: str | None) -> None:
        self.name = name if name is not None else self.name
        self.password_hash = password_hash if password_hash is not None else self.password_hash

    def delete(self) -> datetime:
        self.deleted_at = datetime.now(UTC)
        return self.deleted_at
