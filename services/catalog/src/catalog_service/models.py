"""Products and reservations, and the rules of taking stock and giving it back."""

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    String,
    Table,
    TypeDecorator,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

from chassis.messaging.inbox import Inbox
from chassis.messaging.outbox import Outbox


class ReservationStatus(StrEnum):
    RESERVED = "RESERVED"
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"
    CANCELLED = "CANCELLED"  # the cancel came before the order: nothing may be taken any more


@dataclass(frozen=True)
class ReservationLine:
    product_id: str
    qty: int

    def as_json(self) -> dict[str, Any]:
        return {"productId": self.product_id, "qty": self.qty}


class StatusColumn(TypeDecorator[ReservationStatus]):
    impl = String
    cache_ok = True

    def process_bind_param(self, value: ReservationStatus | None, _dialect: Dialect) -> str | None:
        return None if value is None else value.value

    def process_result_value(
        self, value: str | None, _dialect: Dialect
    ) -> ReservationStatus | None:
        return None if value is None else ReservationStatus(value)


class LinesColumn(TypeDecorator[list[ReservationLine]]):
    impl = JSONB
    cache_ok = True

    def process_bind_param(self, value: list[ReservationLine] | None, _dialect: Dialect) -> Any:
        return None if value is None else [line.as_json() for line in value]

    def process_result_value(self, value: Any, _dialect: Dialect) -> list[ReservationLine] | None:
        if value is None:
            return None
        return [ReservationLine(line["productId"], line["qty"]) for line in value]


class Base(DeclarativeBase):
    pass


outbox = Outbox(Base.metadata)
inbox = Inbox(Base.metadata)

# Rows of both are read and written by statements for many at once: `catalog_service.statements`.
products = Table(
    "products",
    Base.metadata,
    Column("product_id", String, primary_key=True),
    Column("product_name", String, nullable=False),
    Column("unit_price", BigInteger, nullable=False),
    Column("initial_stock", BigInteger, nullable=False),
    Column("added_stock", BigInteger, nullable=False),
    Column("stock", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint("stock >= 0", name="stock_not_negative"),
    # Each order changes a row: its new version finds room on its page.
    postgresql_with={"fillfactor": 50},
)

reservations = Table(
    "reservations",
    Base.metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("status", StatusColumn, nullable=False),
    Column("lines", LinesColumn, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("changed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


@dataclass
class Product:
    """Something to buy.  `initial_stock` + `added_stock` is all there ever was of it."""

    product_id: str
    product_name: str
    unit_price: int
    initial_stock: int
    added_stock: int
    stock: int
    version: int
    created_at: datetime

    @classmethod
    def create(cls, product_id: str, name: str, unit_price: int, stock: int) -> "Product":
        return cls(
            product_id=product_id,
            product_name=name,
            unit_price=unit_price,
            initial_stock=stock,
            added_stock=0,
            stock=stock,
            version=1,
            created_at=datetime.now(UTC),
        )

    def change(self, name: str | None, unit_price: int | None, add_stock: int | None) -> None:
        self.product_name = name if name is not None else self.product_name
        self.unit_price = unit_price if unit_price is not None else self.unit_price
        self.added_stock += add_stock or 0
        self.stock += add_stock or 0
        self.version += 1

    def take(self, qty: int) -> None:
        self.stock -= qty
        self.version += 1

    def give_back(self, qty: int) -> None:
        self.stock += qty
        self.version += 1


@dataclass
class Reservation:
    """What was decided on one order.  There is one row an order, so it is decided once."""

    order_id: UUID
    status: ReservationStatus
    lines: Sequence[ReservationLine]


class Shortage(NamedTuple):
    """Why an order was rejected, and the products that are to blame."""

    reason: str
    products: list[str]


@dataclass(frozen=True)
class ReserveStock:
    """An order was placed and wants all of `lines`, one for a product."""

    order_id: UUID
    lines: Sequence[ReservationLine]


@dataclass(frozen=True)
class ReleaseStock:
    """An order was cancelled."""

    order_id: UUID


class Decision(NamedTuple):
    """What a request has come to, and whether stock of the reservation's lines has moved."""

    reservation: Reservation
    shortage: Shortage | None
    moved: bool


def decide(
    requests: Sequence[ReserveStock | ReleaseStock],
    reservations: MutableMapping[UUID, Reservation],
    shelf: Mapping[str, Product],
) -> list[Decision | None]:
    """Decide on `requests`, one after another, on what is in `reservations` and on `shelf`.

    Both are changed to what they are afterwards.  An order that has been decided, or cancelled, is
    left alone: None.  A cancel gives back what its order holds, or has it remembered that nothing
    may be taken for it any more.
    """
    decisions: list[Decision | None] = []
    for request in requests:
        known = reservations.get(request.order_id)
        match request:
            case ReserveStock(order_id, lines) if known is None:
                reservation, shortage = reserve(order_id, lines, shelf)
                decision = Decision(reservation, shortage, moved=shortage is None)
            case ReleaseStock(order_id) if known is None:
                cancelled = Reservation(order_id, ReservationStatus.CANCELLED, [])
                decision = Decision(cancelled, None, moved=False)
            case ReleaseStock() if known is not None and release(known, shelf):
                decision = Decision(known, None, moved=True)
            case _:
                decisions.append(None)
                continue
        reservations[request.order_id] = decision.reservation
        decisions.append(decision)
    return decisions


def reserve(
    order_id: UUID, lines: Sequence[ReservationLine], shelf: Mapping[str, Product]
) -> tuple[Reservation, Shortage | None]:
    """Take all of `lines` from `shelf`, or nothing and say what is missing."""
    shortage = _shortage(lines, shelf)
    if shortage is not None:
        return Reservation(order_id, ReservationStatus.REJECTED, lines), shortage
    for line in lines:
        shelf[line.product_id].take(line.qty)
    return Reservation(order_id, ReservationStatus.RESERVED, lines), None


def release(reservation: Reservation, shelf: Mapping[str, Product]) -> bool:
    """Give back what `reservation` holds; whether it held something, which it does only once."""
    if reservation.status != ReservationStatus.RESERVED:
        return False
    for line in reservation.lines:
        shelf[line.product_id].give_back(line.qty)
    reservation.status = ReservationStatus.RELEASED
    return True


def _shortage(lines: Sequence[ReservationLine], shelf: Mapping[str, Product]) -> Shortage | None:
    missing = [
        line.product_id
        for line in lines
        if line.product_id not in shelf or shelf[line.product_id].stock < line.qty
    ]
    if not missing:
        return None
    unknown = any(product_id not in shelf for product_id in missing)
    return Shortage("product-unknown" if unknown else "out-of-stock", missing)
