"""What catalog-service is told, and what it tells: the payloads, each in its own words."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic.alias_generators import to_camel

from catalog_service.models import Product, Reservation, lines
from chassis.core.clock import now
from chassis.messaging.outbox import Message

CATALOG = "catalog"
PRODUCTS = "products"


class Payload(BaseModel):
    """Fields that we do not read may come and go: that is the sender's business."""

    model_config = {"alias_generator": to_camel, "frozen": True}


class Line(Payload):
    product_id: str
    qty: Annotated[int, Field(ge=1)]


class OrderPlaced(Payload):
    order_id: UUID
    lines: Annotated[list[Line], Field(min_length=1)]


class OrderCancelled(Payload):
    order_id: UUID


READ: dict[str, type[BaseModel]] = {
    "order.placed": OrderPlaced,
    "order.cancelled": OrderCancelled,
}


def stock_reserved(reservation: Reservation, **given: Any) -> Message:
    data = {
        "orderId": str(reservation.order_id),
        "lines": lines(reservation.quantities),
        "reservedAt": now(),
    }
    return Message(CATALOG, str(reservation.order_id), "stock.reserved", data, **given)


def stock_rejected(order_id: UUID, reason: str, products: list[str], **given: Any) -> Message:
    data = {
        "orderId": str(order_id),
        "reason": reason,
        "products": products,
        "rejectedAt": now(),
    }
    return Message(CATALOG, str(order_id), "stock.rejected", data, **given)


def product_changed(product: Product, **given: Any) -> Message:
    data = {
        "productId": product.product_id,
        "productName": product.product_name,
        "unitPrice": product.unit_price,
        "stock": product.stock,
        "version": product.version,
        "changedAt": now(),
    }
    return Message(PRODUCTS, product.product_id, "product.changed", data, **given)
