"""What must hold between the stores, as functions of one reading of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

PENDING = "PENDING"
# The reservations that may stand behind an order in each state. A cancelled order may have been
# rejected all the same: the cancel was faster than the rejection.
AGREEING = {
    "CONFIRMED": {"RESERVED"},
    "REJECTED": {"REJECTED"},
    "CANCELLED": {"RELEASED", "CANCELLED", "REJECTED"},
}

Lines = list[dict[str, Any]]


@dataclass(frozen=True)
class StoredProduct:
    product_id: str
    initial: int
    added: int
    stock: int


@dataclass(frozen=True)
class StoredOrder:
    """A status with its lines: of an order, or of a reservation."""

    status: str
    lines: Lines

    def quantities(self) -> dict[str, int]:
        total: Counter[str] = Counter()
        for line in self.lines:
            total[line["productId"]] += line["qty"]
        return dict(total)


@dataclass(frozen=True)
class Reading:
    """The stores at one moment, catalog's first; outboxes hold (position, key)."""

    products: list[StoredProduct]
    reservations: dict[str, StoredOrder]
    orders: dict[str, StoredOrder]
    outboxes: dict[str, list[tuple[int, str]]]


@dataclass(frozen=True)
class Finding:
    """One invariant: its figures, and who breaks it."""

    name: str
    figures: dict[str, Any]
    offenders: frozenset[str] = field(default_factory=frozenset)

    @property
    def holds(self) -> bool:
        return not self.offenders


def examine(reading: Reading) -> list[Finding]:
    return [
        stock_adds_up(reading),
        no_stock_below_zero(reading),
        orders_decided(reading),
        outboxes_empty(reading),
        stores_agree(reading),
    ]


def held_quantities(reading: Reading) -> Counter[str]:
    """What is reserved and confirmed, by product."""
    held: Counter[str] = Counter()
    for reservation in reading.reservations.values():
        if reservation.status == "RESERVED":
            held.update(reservation.quantities())
    return held


def stock_adds_up(reading: Reading) -> Finding:
    held = held_quantities(reading)
    figures, offenders = {}, set()
    for product in reading.products:
        has, should = product.stock + held[product.product_id], product.initial + product.added
        figures[product.product_id] = (
            f"{product.initial} + {product.added} = {product.stock} + {held[product.product_id]}"
        )
        if has != should:
            offenders.add(f"{product.product_id}: {should} had, {has} accounted for")
    unknown = set(held) - {product.product_id for product in reading.products}
    offenders |= {f"{product_id}: reserved, and no such product" for product_id in unknown}
    return Finding(
        "initial + added stock = stock + reserved quantities", figures, frozenset(offenders)
    )


def no_stock_below_zero(reading: Reading) -> Finding:
    below = [product.product_id for product in reading.products if product.stock < 0]
    least = min((product.stock for product in reading.products), default=0)
    figures = {"products": len(reading.products), "least stock": least}
    return Finding("no stock below zero", figures, frozenset(below))


def orders_decided(reading: Reading) -> Finding:
    figures = {"orders": len(reading.orders), **Counter(o.status for o in reading.orders.values())}
    pending = {key for key, order in reading.orders.items() if order.status == PENDING}
    waiting = {key for box in reading.outboxes.values() for _, key in box}
    return Finding(
        "every order decided, or its event on the way", figures, frozenset(pending - waiting)
    )


def outboxes_empty(reading: Reading) -> Finding:
    figures = {service: len(rows) for service, rows in reading.outboxes.items()}
    left = {f"{name} event {row}" for name, rows in reading.outboxes.items() for row, _ in rows}
    return Finding("outboxes empty at rest", figures, frozenset(left))


def stores_agree(reading: Reading) -> Finding:
    offenders = {
        f"order {key} is {order.status}, its reservation {_status(reading.reservations.get(key))}"
        for key, order in reading.orders.items()
        if not _agree(order, reading.reservations.get(key))
    }
    strangers = set(reading.reservations) - set(reading.orders)
    offenders |= {f"reservation {key} has no order" for key in strangers}
    statuses = Counter(order.status for order in reading.reservations.values())
    figures = {"orders": len(reading.orders), "reservations": len(reading.reservations), **statuses}
    return Finding("catalog's reservations agree with the orders", figures, frozenset(offenders))


def _status(reservation: StoredOrder | None) -> str:
    return reservation.status if reservation else "missing"


def _agree(order: StoredOrder, reservation: StoredOrder | None) -> bool:
    if order.status == PENDING:
        return True
    if reservation is None or reservation.status not in AGREEING[order.status]:
        return False
    # A cancel that came before its order reserved nothing, and knows no quantities.
    return reservation.status == "CANCELLED" or reservation.quantities() == order.quantities()
