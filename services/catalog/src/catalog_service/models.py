"""Products and reservations, and the rules of taking stock and giving it back."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from chassis.messaging.inbox import Inbox
from chassis.messaging.outbox import Outbox

Quantities = Mapping[str, int]


class Base(DeclarativeBase):
    type_annotation_map = {int: BigInteger, datetime: DateTime(timezone=True)}


outbox = Outbox(Base.metadata)
inbox = Inbox(Base.metadata)


class Product(Base):
    """Something to buy.  `initial_stock` + `added_stock` is all there ever was of it."""

    __tablename__ = "products"
    __table_args__ = (CheckConstraint("stock >= 0", name="stock_not_negative"),)

    product_id: Mapped[str] = mapped_column(primary_key=True)
    product_name: Mapped[str]
    unit_price: Mapped[int]
    initial_stock: Mapped[int]
    added_stock: Mapped[int]
    stock: Mapped[int]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

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
        )

    def change(self, name: str | None, unit_price: int | None, add_stock: int | None) -> None:
        self.product_name = name if name is not None else self.product_name
        self.unit_price = unit_price if unit_price is not None else self.unit_price
        self.added_stock += add_stock or 0
        self.stock += add_stock or 0
        self.version += 1

    def take(self, quantity: int) -> None:
        self.stock -= quantity
        self.version += 1

    def give_back(self, quantity: int) -> None:
        self.stock += quantity
        self.version += 1


class ReservationStatus(StrEnum):
    RESERVED = "RESERVED"
    REJECTED = "REJECTED"
    RELEASED = "RELEASED"
    CANCELLED = "CANCELLED"  # the cancel came before the order: nothing may be taken any more


class Reservation(Base):
    """What was decided on one order.  There is one row an order, so it is decided once."""

    __tablename__ = "reservations"

    order_id: Mapped[UUID] = mapped_column(primary_key=True)
    status: Mapped[str]
    lines: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    changed_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    @property
    def quantities(self) -> Quantities:
        return {line["productId"]: line["qty"] for line in self.lines}


class Shortage(NamedTuple):
    """Why an order was rejected, and the products that are to blame."""

    reason: str
    products: list[str]


def reserve(
    order_id: UUID, quantities: Quantities, shelf: Mapping[str, Product]
) -> tuple[Reservation, Shortage | None]:
    """Take all of `quantities` from `shelf`, or nothing and say what is missing."""
    shortage = _shortage(quantities, shelf)
    if shortage is None:
        for product_id, quantity in quantities.items():
            shelf[product_id].take(quantity)
    status = ReservationStatus.REJECTED if shortage else ReservationStatus.RESERVED
    return Reservation(order_id=order_id, status=status, lines=lines(quantities)), shortage


def release(reservation: Reservation, shelf: Mapping[str, Product]) -> bool:
    """Give back what `reservation` holds; whether it held something, which it does only once."""
    if reservation.status != ReservationStatus.RESERVED:
        return False
    for product_id, quantity in reservation.quantities.items():
        shelf[product_id].give_back(quantity)
    reservation.status = ReservationStatus.RELEASED
    return True


def _shortage(quantities: Quantities, shelf: Mapping[str, Product]) -> Shortage | None:
    missing = [
        product_id
        for product_id, quantity in quantities.items()
        if product_id not in shelf or shelf[product_id].stock < quantity
    ]
    if not missing:
        return None
    unknown = any(product_id not in shelf for product_id in missing)
    return Shortage("product-unknown" if unknown else "out-of-stock", missing)


def lines(quantities: Quantities) -> list[dict[str, Any]]:
    return [{"productId": product_id, "qty": qty} for product_id, qty in quantities.items()]


def on_shelf(products: Iterable[Product]) -> dict[str, Product]:
    return {product.product_id: product for product in products}
