"""How an order looks from outside."""

from collections.abc import Sequence
from typing import Any

from chassis.core.clock import rfc3339
from order_service.models import Order

LINE = ("productId", "qty", "unitPrice")


def order_json(order: Order, degraded: Sequence[str] = ()) -> dict[str, Any]:
    """`degraded` names the services that were away when the order was judged."""
    # jsonb keeps no order of keys, and an answer that comes again has to look the same.
    lines = [{key: line[key] for key in LINE} for line in order.stored_lines]
    found: dict[str, Any] = {
        "orderId": str(order.order_id),
        "userId": str(order.user_id),
        "status": order.status,
        "lines": lines,
        "totalPrice": order.total_price,
        "createdAt": rfc3339(order.created_at),
    }
    if order.reason:
        found["reason"] = order.reason
    if len(lines) == 1:
        found.update(lines[0])
    if degraded:
        found["degraded"] = list(degraded)
    return found
