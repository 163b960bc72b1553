"""Idempotent consumers: events arrive at least once and in any order, and the end is the same."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from fusebox.network import postgres_probe

from ..running import processes_only
from . import fault_injection, kafka_records

PRODUCT = "CATALOG-0002"


@pytest.mark.parametrize("times", [1, 2, 10])
def test_an_event_that_is_delivered_again_has_no_second_effect(shop: Any, times: int) -> None:
    customer = shop.customer()
    before = shop.stock(PRODUCT)
    order_id = customer.place(PRODUCT, qty=3).json()["orderId"]
    shop.until(lambda: fault_injection.final_status(customer, order_id) == "CONFIRMED")

    for topic in ("orders", "catalog"):
        published = kafka_records.records(shop, topic, [order_id])
        again = [(event.key, event.value, list(event.headers)) for event in published] * times
        kafka_records.send(shop, topic, again)
    kafka_records.await_no_lag(shop)

    assert customer.order(order_id).json()["status"] == "CONFIRMED"
    assert shop.stock(PRODUCT) == before - 3
    assert kafka_records.decisions(shop, [order_id])[order_id] == 1
    fault_injection.assert_verified(shop)


@processes_only
@pytest.mark.parametrize("types", [("placed", "cancelled"), ("cancelled", "placed")])
def test_a_cancel_may_be_delivered_before_its_order(shop: Any, types: tuple[str, ...]) -> None:
    customer = shop.customer()
    before = shop.stock(PRODUCT)
    order_id = _cancelled_order(shop, customer.user_id)
    key, value = order_id.encode(), _payload(order_id)

    kafka_records.send(
        shop, "orders", [(key, value, kafka_records.headers(f"order.{name}")) for name in types]
    )
    kafka_records.await_no_lag(shop)

    assert customer.order(order_id).json()["status"] == "CANCELLED"
    assert shop.stock(PRODUCT) == before
    fault_injection.assert_verified(shop)


def _cancelled_order(shop: Any, user_id: str) -> str:
    """An order without published events, so that the test alone decides their order."""
    order_id = str(uuid.uuid4())
    lines = json.dumps([{"productId": PRODUCT, "qty": 2, "unitPrice": 900}])
    with postgres_probe.connect(shop.stack, "order_service") as connection:
        connection.execute(
            "INSERT INTO orders"
            " (order_id, user_id, status, lines, total_price, created_at, version)"
            " VALUES (%s, %s, 'CANCELLED', %s, 1800, %s, 1)",
            (order_id, user_id, lines, datetime.now(UTC)),
        )
    return order_id


def _payload(order_id: str) -> bytes:
    """What both events have in common with one another and with their schemas."""
    lines = [{"productId": PRODUCT, "qty": 2, "unitPrice": 900}]
    return json.dumps({"orderId": order_id, "lines": lines}).encode()
