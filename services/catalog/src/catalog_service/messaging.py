"""Events in and out: the payloads, each in catalog-service's own words, and their effect.

In: an order wants its stock, or gives it back.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog_service.models import (
    Product,
    Quantities,
    Reservation,
    ReservationStatus,
    lines,
    on_shelf,
    outbox,
    release,
    reserve,
)
from chassis.core.clock import now
from chassis.messaging.event import Event
from chassis.messaging.outbox import Message
from chassis.observability.tracing import ZipkinAttrs

CATALOG = "catalog"
PRODUCTS = "products"
TOPICS = ("orders",)


class Payload(BaseModel):
    """Fields that we do not read may come and go: that is the sender's business."""

    model_config = {"alias_generator": to_camel, "frozen": True}


class Line(Payload):
    product_id: str
    qty: Annotated[int, Field(ge=1)]


class OrderPlaced(Payload):
    order_id: UUID
    lines: Annotated[list[Line], Field(min_length=1)]

    def quantities(self) -> Quantities:
        quantities: Counter[str] = Counter()
        for line in self.lines:
            quantities[line.product_id] += line.qty
        return quantities


class OrderCancelled(Payload):
    order_id: UUID


EVENT_TYPES: dict[str, type[BaseModel]] = {
    "order.placed": OrderPlaced,
    "order.cancelled": OrderCancelled,
}


def stock_reserved(reservation: Reservation, **options: Any) -> Message:
    data = {
        "orderId": str(reservation.order_id),
        "lines": lines(reservation.quantities),
        "reservedAt": now(),
    }
    return Message(CATALOG, str(reservation.order_id), "stock.reserved", data, **options)


def stock_rejected(order_id: UUID, reason: str, products: list[str], **options: Any) -> Message:
    data = {
        "orderId": str(order_id),
        "reason": reason,
        "products": products,
        "rejectedAt": now(),
    }
    return Message(CATALOG, str(order_id), "stock.rejected", data, **options)


def product_changed(product: Product, **options: Any) -> Message:
    data = {
        "productId": product.product_id,
        "productName": product.product_name,
        "unitPrice": product.unit_price,
        "stock": product.stock,
        "version": product.version,
        "changedAt": now(),
    }
    return Message(PRODUCTS, product.product_id, "product.changed", data, **options)


def handle(session: Session, events: Sequence[Event]) -> None:
    """Decide on `events` in their order; the caller commits."""
    placed = {
        event.id: event.data.quantities() for event in events if isinstance(event.data, OrderPlaced)
    }
    decisions = Decisions(
        session,
        order_ids={event.data.order_id for event in events},
        product_ids={product_id for quantities in placed.values() for product_id in quantities},
    )
    for event in events:
        match event.data:
            case OrderPlaced(order_id=order_id):
                decisions.place(order_id, placed[event.id], event.trace_context)
            case OrderCancelled(order_id=order_id):
                decisions.cancel(order_id, event.trace_context)
    decisions.record()


class Decisions:
    """Decides on a batch of orders within one transaction.

    Rows are read and locked once for the whole batch, reservations first and products in the order
    of their ids, so that two instances cannot deadlock and a batch costs few round trips.
    """

    def __init__(self, session: Session, order_ids: set[UUID], product_ids: set[str]) -> None:
        self._session = session
        self._reservations = {
            reservation.order_id: reservation
            for reservation in session.scalars(
                select(Reservation).where(Reservation.order_id.in_(order_ids)).with_for_update()
            )
        }
        reserved = {
            product_id
            for reservation in self._reservations.values()
            for product_id in reservation.quantities
        }
        self._shelf = on_shelf(
            session.scalars(
                select(Product)
                .where(Product.product_id.in_(product_ids | reserved))
                .order_by(Product.product_id)
                .with_for_update()
            )
        )
        self._messages: list[Message] = []
        # The products that were touched, each with the span in which that happened last.
        self._touched: dict[str, ZipkinAttrs | None] = {}

    def place(
        self, order_id: UUID, quantities: Quantities, trace_context: ZipkinAttrs | None
    ) -> None:
        """Reserve all or reject; an order that has been decided, or cancelled, is left alone."""
        if order_id in self._reservations:
            return
        reservation, shortage = reserve(order_id, quantities, self._shelf)
        self._add(reservation)
        if shortage:
            message = stock_rejected(order_id, *shortage, trace_context=trace_context)
        else:
            message = stock_reserved(reservation, trace_context=trace_context)
            self._touched.update(dict.fromkeys(quantities, trace_context))
        self._messages.append(message)

    def cancel(self, order_id: UUID, trace_context: ZipkinAttrs | None) -> None:
        """Give back what the order holds, or remember that nothing may be taken for it."""
        reservation = self._reservations.get(order_id)
        if reservation is None:
            self._add(Reservation(order_id=order_id, status=ReservationStatus.CANCELLED, lines=[]))
        elif release(reservation, self._shelf):
            self._touched.update(dict.fromkeys(reservation.quantities, trace_context))

    def record(self) -> None:
        """Write the decisions, and one `product.changed` for each product that was touched."""
        changes = [
            product_changed(self._shelf[product_id], trace_context=trace_context)
            for product_id, trace_context in self._touched.items()
        ]
        outbox.record(self._session, [*self._messages, *changes])

    def _add(self, reservation: Reservation) -> None:
        self._session.add(reservation)
        self._reservations[reservation.order_id] = reservation
