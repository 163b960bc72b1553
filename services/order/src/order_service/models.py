"""Orders and the rules of how they move, beside what order-service last knew of others."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    String,
    Table,
    TypeDecorator,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from uuid_utils.compat import uuid7

from chassis.core.errors import Conflict, NotFound, Unavailable
from chassis.messaging.inbox import Inbox
from chassis.messaging.outbox import Outbox


class OrderStatus(StrEnum):
    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    REJECTED = "REJECTED"
    CANCELLED = "CANCELLED"


# From which states an order may come to this one; there is no other way.
ALLOWED_FROM = {
    OrderStatus.CONFIRMED: {OrderStatus.PENDING},
    OrderStatus.REJECTED: {OrderStatus.PENDING},
    OrderStatus.CANCELLED: {OrderStatus.PENDING, OrderStatus.CONFIRMED},
}


@dataclass(frozen=True)
class OrderLineRequest:
    """What a user asks for; `unit_price` is what they believe it costs, if anything.

    `other_prices` are further ones, of lines that were merged into this one.
    """

    product_id: str
    qty: int
    unit_price: int | None = None
    # Not in the form that rows of version 0.1 are compared with.
    other_prices: tuple[int, ...] = field(default=(), repr=False)

    def agrees_with(self, unit_price: int) -> bool:
        """Whether all prices given are this one."""
        return {self.unit_price, *self.other_prices} <= {None, unit_price}


@dataclass(frozen=True)
class OrderLine:
    """`qty` pieces at `unit_price`, in units of the currency's smallest coin."""

    product_id: str
    qty: int
    unit_price: int

    def as_json(self) -> dict[str, Any]:
        return {"productId": self.product_id, "qty": self.qty, "unitPrice": self.unit_price}


@dataclass(frozen=True)
class ProductSnapshot:
    """A product as catalog-service has it now, or as it was last known here."""

    product_id: str
    unit_price: int
    stock: int


class StatusColumn(TypeDecorator[OrderStatus]):
    impl = String
    cache_ok = True

    def process_bind_param(self, value: OrderStatus | None, _dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(self, value: str | None, _dialect: Dialect) -> OrderStatus | None:
        return None if value is None else OrderStatus(value)


class LinesColumn(TypeDecorator[list[OrderLine]]):
    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: list[OrderLine] | None, _dialect: Dialect) -> Any:
        return None if value is None else [line.as_json() for line in value]

    def process_result_value(self, value: Any, _dialect: Dialect) -> list[OrderLine] | None:
        if value is None:
            return None
        return [OrderLine(line["productId"], line["qty"], line["unitPrice"]) for line in value]


class Base(DeclarativeBase):
    type_annotation_map = {
        int: BigInteger,
        datetime: DateTime(timezone=True),
        OrderStatus: StatusColumn,
        list[OrderLine]: LinesColumn,
    }


outbox = Outbox(Base.metadata)
inbox = Inbox(Base.metadata)


# Whose orders are of a user who has left (RFC 9562, 5.9: the nil UUID).
NOBODY = UUID(int=0)

# Its rows are written and moved by statements for many at once: `order_service.statements`.
orders = Table(
    "orders",
    Base.metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("user_id", Uuid, nullable=False),
    Column("status", StatusColumn, nullable=False),
    Column("reason", String),
    # With the order in one row: lines never change, and a placed order is one INSERT.
    Column("lines", LinesColumn, nullable=False),
    Column("total_price", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("version", BigInteger, nullable=False),
    Index("orders_of_user", "user_id", "order_id"),
    # The new version of a decided order finds room on its page, and the indexes stay as they are.
    postgresql_with={"fillfactor": 70},
)


@dataclass
class Order:
    """What a user asked for, and how far it has come: a row of `orders`."""

    order_id: UUID
    user_id: UUID
    status: OrderStatus
    reason: str | None
    lines: list[OrderLine]
    total_price: int
    created_at: datetime
    version: int

    @classmethod
    def place(cls, user_id: UUID, lines: list[OrderLine]) -> "Order":
        return cls(
            order_id=uuid7(),
            user_id=user_id,
            status=OrderStatus.PENDING,
            reason=None,
            lines=lines,
            total_price=sum(line.qty * line.unit_price for line in lines),
            created_at=datetime.now(UTC),
            version=1,
        )

    def cancel(self) -> None:
        """Raises Conflict `too-late` when the order was rejected, or cancelled before."""
        if self.status not in ALLOWED_FROM[OrderStatus.CANCELLED]:
            raise too_late(self.status)
        self.status = OrderStatus.CANCELLED


class ProductFact(Base):
    """What was last known of a product: enough to check an order while catalog-service is away."""

    __tablename__ = "product_facts"

    product_id: Mapped[str] = mapped_column(primary_key=True)
    unit_price: Mapped[int]
    stock: Mapped[int]
    version: Mapped[int]


class ClosedAccount(Base):
    """A user who has left: tokens that are still valid open nothing any more.

    `passes` is how often their orders were looked for since, to be cancelled or detached.
    """

    __tablename__ = "closed_accounts"
    __table_args__ = (
        Index("ix_closed_accounts_unsettled", "closed_at", postgresql_where=text("passes < 2")),
        Index("ix_closed_accounts_closed_at", "closed_at"),
    )

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    closed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    passes: Mapped[int] = mapped_column(server_default="0")


class IdempotencyKey(Base):
    """A request that must not have its effect twice; without an order while it is under way."""

    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    # What version 0.1 kept instead of the two below; nothing writes it any more.
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    order_id: Mapped[UUID | None]
    degraded: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    claimed_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)


def merge_lines(lines: Iterable[OrderLineRequest]) -> list[OrderLineRequest]:
    """A line a product: quantities are added up, and every price given is kept to be compared."""
    quantities: Counter[str] = Counter()
    prices: defaultdict[str, dict[int, None]] = defaultdict(dict)
    for line in lines:
        quantities[line.product_id] += line.qty
        if line.unit_price is not None:
            prices[line.product_id][line.unit_price] = None
    return [_merged(id, qty, *prices[id]) for id, qty in quantities.items()]


def _merged(product_id: str, qty: int, *prices: int) -> OrderLineRequest:
    return OrderLineRequest(product_id, qty, prices[0] if prices else None, prices[1:])


def check(
    requests: list[OrderLineRequest], products: Mapping[str, ProductSnapshot]
) -> list[OrderLine]:
    """The lines at today's prices.

    Raises NotFound `product-unknown`, Conflict `price-changed` or `out-of-stock`, in that order.
    """
    unknown = [line.product_id for line in requests if line.product_id not in products]
    if unknown:
        raise product_unknown(unknown)
    changed = [
        line.product_id
        for line in requests
        if not line.agrees_with(products[line.product_id].unit_price)
    ]
    if changed:
        raise price_changed(changed)
    short = [line.product_id for line in requests if products[line.product_id].stock < line.qty]
    if short:
        raise out_of_stock(short)
    return [
        OrderLine(line.product_id, line.qty, products[line.product_id].unit_price)
        for line in requests
    ]


def require_known(product_ids: Iterable[str], facts: Mapping[str, ProductSnapshot]) -> None:
    """Without catalog-service a product never heard of may exist all the same: Unavailable."""
    unknown = [product_id for product_id in product_ids if product_id not in facts]
    if unknown:
        raise Unavailable(
            f"catalog-service is away and {', '.join(unknown)} is not known here; nothing "
            "was ordered.",
            products=unknown,
        )


def product_unknown(ids: list[str]) -> NotFound:
    return NotFound(f"There is no product {', '.join(ids)}.", code="product-unknown", products=ids)


def price_changed(ids: list[str]) -> Conflict:
    return Conflict(
        f"The price of {', '.join(ids)} has changed.", code="price-changed", products=ids
    )


def out_of_stock(ids: list[str]) -> Conflict:
    return Conflict(f"Not enough stock of {', '.join(ids)}.", code="out-of-stock", products=ids)


def too_late(status: OrderStatus) -> Conflict:
    return Conflict(f"A {status} order cannot be cancelled.", code="too-late")
