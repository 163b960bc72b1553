"""Events in and out: the payloads, each in order-service's own words, and their effect.

In: catalog-service has decided, a product has changed, a user has left.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.core.clock import now, rfc3339
from chassis.messaging.event import Event
from chassis.messaging.outbox import Message
from order_service.models import ClosedAccount, Order, ProductFact

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


EVENT_TYPES: dict[str, type[BaseModel]] = {
    "stock.reserved": StockReserved,
    "stock.rejected": StockRejected,
    "product.changed": ProductChanged,
    "user.deleted": UserDeleted,
}


def order_placed(order: Order) -> Message:
    data = {
        "orderId": str(order.order_id),
        "userId": str(order.user_id),
        "lines": [line.as_json() for line in order.lines],
        "totalPrice": order.total_price,
        "placedAt": rfc3339(order.created_at),
    }
    return Message(ORDERS, str(order.order_id), "order.placed", data)


def order_cancelled(order: Order) -> Message:
    data = {"orderId": str(order.order_id), "userId": str(order.user_id), "cancelledAt": now()}
    return Message(ORDERS, str(order.order_id), "order.cancelled", data)


def handler(
    decided: Callable[[set[UUID]], None],
) -> Callable[[Session, Sequence[Event]], None]:
    """Handles a batch in a few statements, and calls `decided` with its orders after the commit."""

    def handle(session: Session, events: Sequence[Event]) -> None:
        by_type: dict[type, list[Any]] = {}
        for event in events:
            by_type.setdefault(type(event.data), []).append(event.data)
        reserved, rejected = by_type.get(StockReserved, []), by_type.get(StockRejected, [])
        _decide(session, reserved, rejected)
        _remember_products(session, by_type.get(ProductChanged, []))
        _close_accounts(session, by_type.get(UserDeleted, []))
        order_ids = {decision.order_id for decision in (*reserved, *rejected)}
        if order_ids:
            sqlalchemy_event.listen(
                session, "after_commit", lambda _: decided(order_ids), once=True
            )

    return handle


def _decide(session: Session, reserved: list[StockReserved], rejected: list[StockRejected]) -> None:
    if reserved:
        session.execute(Order.confirm_all([event.order_id for event in reserved]))
    for reason in {event.reason for event in rejected}:
        order_ids = [event.order_id for event in rejected if event.reason == reason]
        session.execute(Order.reject_all(order_ids, reason))


def _remember_products(session: Session, changes: list[ProductChanged]) -> None:
    newest: dict[str, ProductChanged] = {}
    for change in changes:
        known = newest.get(change.product_id)
        if known is None or known.version < change.version:
            newest[change.product_id] = change
    if not newest:
        return
    # In one order everywhere, so that two batches cannot deadlock.
    statement = insert(ProductFact).values([newest[id].model_dump() for id in sorted(newest)])
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[ProductFact.product_id],
            set_={"unit_price": new.unit_price, "stock": new.stock, "version": new.version},
            where=ProductFact.version < new.version,
        )
    )


def _close_accounts(session: Session, deleted: list[UserDeleted]) -> None:
    if deleted:
        user_ids = {event.user_id for event in deleted}
        session.execute(
            insert(ClosedAccount)
            .values([{"user_id": user_id} for user_id in sorted(user_ids)])
            .on_conflict_do_nothing()
        )
