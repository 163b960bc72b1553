"""What order-service is told, and what it tells: the payloads, each in its own words."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel

from chassis.core.clock import now, rfc3339
from chassis.messaging.outbox import Message
from order_service.models import Order

ORDERS = "orders"


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


READ: dict[str, type[BaseModel]] = {
    "stock.reserved": StockReserved,
    "stock.rejected": StockRejected,
    "product.changed": ProductChanged,
    "user.deleted": UserDeleted,
}


def order_placed(order: Order) -> Message:
    data = {
        "orderId": str(order.order_id),
        "userId": str(order.user_id),
        "lines": order.stored_lines,
        "totalPrice": order.total_price,
        "placedAt": rfc3339(order.created_at),
    }
    return Message(ORDERS, str(order.order_id), "order.placed", data)


def order_cancelled(order: Order) -> Message:
    data = {"orderId": str(order.order_id), "userId": str(order.user_id), "cancelledAt": now()}
    return Message(ORDERS, str(order.order_id), "order.cancelled", data)
