"""Orders and the rules of how they move, beside what order-service has heard from others."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

from chassis.core.errors import Conflict


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, datetime: DateTime(timezone=True)}


class OrderStatus(StrEnum):
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


# From which states an order may come to this one.
ALLOWED_FROM = {
    OrderStatus.CONFIRMED: {OrderStatus.PENDING},
    OrderStatus.REJECTED: {OrderStatus.PENDING},
    OrderStatus.CANCELLED: {OrderStatus.PENDING, OrderStatus.CONFIRMED},
}


@dataclass(frozen=True)
class Line:
    """`qty` pieces at `unit_price`, in units of the currency's smallest coin."""

    product_id: str
    qty: int
    unit_price: int


class Order(Base):
    """What a user asked for, and how far it has come."""

    __tablename__ = "orders"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    status: Mapped[str]
    reason: Mapped[str | None]
    # With the order in one row: lines never change, and a placed order is one INSERT.
    stored_lines: Mapped[list[dict[str, Any]]] = mapped_column("lines", JSONB)
    total_price: Mapped[int]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column()

    __table_args__ = (Index("orders_of_user", "user_id", "order_id"),)
    __mapper_args__ = {"version_id_col": version}  # concurrent edits fail loudly

    @classmethod
    def place(cls, user_id: UUID, lines: list[Line]) -> "Order":
        return cls(
            order_id=uuid7(),
            user_id=user_id,
            status=OrderStatus.PENDING,
            stored_lines=[
                {"productId": line.product_id, "qty": line.qty, "unitPrice": line.unit_price}
                for line in lines
            ],
            total_price=sum(line.qty * line.unit_price for line in lines),
            created_at=datetime.now(UTC),
        )

    def cancel(self) -> None:
        self._move(OrderStatus.CANCELLED)

    def _move(self, to: OrderStatus) -> None:
        if self.status not in ALLOWED_FROM[to]:
            raise Conflict(f"A {self.status} order cannot become {to}.", code="too-late")
        self.status = to


class ProductFact(Base):
    """What was last heard of a product: enough to judge an order while catalog-service is away."""

    __tablename__ = "product_facts"

    product_id: Mapped[str] = mapped_column(primary_key=True)
    unit_price: Mapped[int]
    stock: Mapped[int]
    version: Mapped[int]


class ClosedAccount(Base):
    """A user who has left: tokens that are still valid open nothing any more."""

    __tablename__ = "closed_accounts"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(server_default=func.now())


class IdempotencyKey(Base):
    """A request that must not have its effect twice; `answer` is null while it is under way."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    claimed_at: Mapped[datetime] = mapped_column(server_default=func.now())
