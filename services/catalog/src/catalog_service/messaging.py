"""Events in and out: the payloads, each in catalog-service's own words, and their effect.

In: an order wants its stock, or gives it back.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.orm import Session

from catalog_service import statements
from catalog_service.models import (
    Decision,
    Product,
    ReleaseStock,
    Reservation,
    ReservationLine,
    ReserveStock,
    decide,
    outbox,
)
from chassis.core.clock import now
from chassis.messaging.event import Event
from chassis.messaging.outbox import Message
from chassis.observability.logging import Entry, log_together
from chassis.observability.tracing import TraceContext

log = logging.getLogger(__name__)

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

    def request(self) -> ReserveStock:
        quantities: Counter[str] = Counter()
        for line in self.lines:
            quantities[line.product_id] += line.qty
        return ReserveStock(self.order_id, [ReservationLine(*line) for line in quantities.items()])


class OrderCancelled(Payload):
    order_id: UUID

    def request(self) -> ReleaseStock:
        return ReleaseStock(self.order_id)


EVENT_TYPES: dict[str, type[BaseModel]] = {
    "order.placed": OrderPlaced,
    "order.cancelled": OrderCancelled,
}


def stock_reserved(reservation: Reservation, **options: Any) -> Message:
    data = {
        "orderId": str(reservation.order_id),
        "lines": [line.as_json() for line in reservation.lines],
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
    """Decide on `events` in their order, by one statement for each table; the caller commits."""
    requests = [event.data.request() for event in events]
    reservations = statements.lock_reservations(session, {order.order_id for order in requests})
    earlier = set(reservations)
    shelf = statements.lock_products(session, _products_of(requests, reservations.values()))

    decisions = decide(requests, reservations, shelf)

    decided = {decision.reservation.order_id for decision in decisions if decision}
    statements.insert_reservations(session, [reservations[id] for id in decided - earlier])
    statements.update_reservations(session, [reservations[id] for id in decided & earlier])
    moved = _moved(events, decisions)
    statements.update_products(session, [shelf[product_id] for product_id in moved])
    changes = [
        product_changed(shelf[product_id], trace_context=trace_context)
        for product_id, trace_context in moved.items()
    ]
    outbox.record(session, [*_answers(events, decisions), *changes])
    sqlalchemy_event.listen(
        session, "after_commit", lambda _: _log_decisions(events, decisions), once=True
    )


def _log_decisions(events: Sequence[Event], decisions: Sequence[Decision | None]) -> None:
    log_together(
        log,
        [
            _log_entry(event, decision)
            for event, decision in zip(events, decisions, strict=True)
            if decision is not None
        ],
    )


def _log_entry(event: Event, decision: Decision) -> Entry:
    order_id = str(decision.reservation.order_id)
    text = f"order {order_id}: {_outcome(event, decision)}"
    return Entry(text, event.trace_context, {"event.action": event.type, "order.id": order_id})


def _outcome(event: Event, decision: Decision) -> str:
    if isinstance(event.data, OrderCancelled):
        return "stock given back" if decision.moved else "cancelled, it held no stock"
    return f"rejected: {decision.shortage[0]}" if decision.shortage else "stock reserved"


def _products_of(
    requests: Sequence[ReserveStock | ReleaseStock], reservations: Iterable[Reservation]
) -> set[str]:
    """Those that are to be taken, and those that may be given back."""
    lines = [request.lines for request in requests if isinstance(request, ReserveStock)]
    lines += [reservation.lines for reservation in reservations]
    return {line.product_id for of_one in lines for line in of_one}


def _moved(
    events: Sequence[Event], decisions: Sequence[Decision | None]
) -> dict[str, TraceContext | None]:
    """The products whose stock has moved, each with the trace in which that happened last."""
    return {
        line.product_id: event.trace_context
        for event, decision in zip(events, decisions, strict=True)
        if decision is not None and decision.moved
        for line in decision.reservation.lines
    }


def _answers(events: Sequence[Event], decisions: Sequence[Decision | None]) -> Iterator[Message]:
    """What order-service is to know of its orders, each in the trace of its event."""
    for event, decision in zip(events, decisions, strict=True):
        if decision is None or not isinstance(event.data, OrderPlaced):
            continue
        if decision.shortage is None:
            yield stock_reserved(decision.reservation, trace_context=event.trace_context)
        else:
            order_id = decision.reservation.order_id
            yield stock_rejected(order_id, *decision.shortage, trace_context=event.trace_context)
