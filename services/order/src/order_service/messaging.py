"""Events in and out: the payloads, each in order-service's own words, and their effect.

In: catalog-service has decided, a product has changed, a user has left.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.orm import Session

from chassis.core.clock import now, rfc3339
from chassis.messaging.event import Event
from chassis.messaging.outbox import Message
from chassis.observability.logging import Entry, log_together
from order_service import statements
from order_service.models import Order, OrderStatus
from order_service.statements import Move

log = logging.getLogger(__name__)

ORDERS = "orders"
TOPICS = ("catalog", "products", "users")


class Payload(BaseModel):
    """Fields that we do not read may come and go: that is the sender's business."""

    model_config = {"alias_generator": to_camel, "frozen": True}


class StockReserved(Payload):
    order_id: UUID


class StockRejected(Payload):
    order_id: UUID
    reason: Annotated[str, Field(min_length=1)]


class ProductChanged(Payload):
    product_id: Annotated[str, Field(min_length=1)]
    unit_price: Annotated[int, Field(ge=0)]
    stock: Annotated[int, Field(ge=0)]
    version: Annotated[int, Field(ge=1)]


class UserDeleted(Payload):
    user_id: UUID


Decision = StockReserved | StockRejected

EVENT_TYPES: dict[str, type[BaseModel]] = {
    "stock.reserved": StockReserved,
    "stock.rejected": StockRejected,
    "product.changed": ProductChanged,
    "user.deleted": UserDeleted,
}


def order_placed(order: Order, degraded: Sequence[str] = (), **options: Any) -> Message:
    """`degraded` are the services that were away when it was checked."""
    data = {
        "orderId": str(order.order_id),
        "userId": str(order.user_id),
        "lines": [line.as_json() for line in order.lines],
        "totalPrice": order.total_price,
        "placedAt": rfc3339(order.created_at),
        **({"degraded": list(degraded)} if degraded else {}),
    }
    return Message(ORDERS, str(order.order_id), "order.placed", data, **options)


def order_cancelled(order: Order, **options: Any) -> Message:
    data = {"orderId": str(order.order_id), "userId": str(order.user_id), "cancelledAt": now()}
    return Message(ORDERS, str(order.order_id), "order.cancelled", data, **options)


def handler(
    decided: Callable[[set[UUID], Mapping[UUID, Move]], None], closed: Callable[[], None]
) -> Callable[[Session, Sequence[Event]], None]:
    """Handles a batch in a few statements.

    After the commit it calls `decided` with the batch's orders, and those that it has moved, and
    `closed` when a user has left.
    """

    def handle(session: Session, events: Sequence[Event]) -> None:
        payloads = [event.data for event in events]
        decisions = [event for event in events if isinstance(event.data, Decision)]
        moves = [_move(event.data) for event in decisions]
        moved = statements.move_orders(session, moves)
        changes = [payload for payload in payloads if isinstance(payload, ProductChanged)]
        statements.remember_products(session, [fact.model_dump() for fact in _newest(changes)])
        deleted = {payload.user_id for payload in payloads if isinstance(payload, UserDeleted)}
        if deleted:
            statements.close_accounts(session, deleted)
            sqlalchemy_event.listen(session, "after_commit", lambda _: closed(), once=True)
        if moves:

            def committed(_: Session) -> None:
                decided({move.order_id for move in moves}, moved)
                log_together(log, list(map(_log_entry, decisions, moves)))

            sqlalchemy_event.listen(session, "after_commit", committed, once=True)

    return handle


def _log_entry(event: Event, move: Move) -> Entry:
    reason = f": {move.reason}" if move.reason else ""
    text = f"order {move.order_id} decided, {move.to}{reason}"
    fields = {"event.action": event.type, "order.id": str(move.order_id)}
    return Entry(text, event.trace_context, fields)


def _move(decision: StockReserved | StockRejected) -> Move:
    if isinstance(decision, StockRejected):
        return Move(decision.order_id, OrderStatus.REJECTED, decision.reason)
    return Move(decision.order_id, OrderStatus.CONFIRMED)


def _newest(changes: list[ProductChanged]) -> list[ProductChanged]:
    """The newest of each product."""
    newest: dict[str, ProductChanged] = {}
    for change in changes:
        known = newest.get(change.product_id)
        if known is None or known.version < change.version:
            newest[change.product_id] = change
    return list(newest.values())
