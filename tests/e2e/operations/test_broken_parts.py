"""Outages: the promises while a part is down, and after it."""

import os
import signal
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer

from fusebox.runtime.shop_client import FRESH


@pytest.fixture(autouse=True)
def repaired_shop(shop: Any) -> Iterator[None]:
    """Leaves the next test a shop whose breakers have closed again."""
    yield
    customer = shop.customer()
    for path in ("/catalog-service/catalogs", "/order-service/actuator/health"):
        shop.until(lambda path=path: customer.call("GET", path, headers=FRESH).ok, 30)
    shop.until(lambda: "degraded" not in customer.page().json(), 30)
    shop.until(lambda: customer.place(wait=1).json().get("status") == "CONFIRMED", 30)


def test_a_killed_catalog_leaves_the_order_pending_and_trips_the_breaker(shop: Any) -> None:
    customer = shop.customer()
    shop.kill("catalog-service")
    try:
        answer = customer.place(qty=2)
        assert answer.status_code == 201
        order = answer.json()
        assert order["status"] == "PENDING"
        assert order["degraded"] == ["catalog-service"]
        for _ in range(5):
            assert customer.place().status_code == 201
        assert shop.breaker("order-service", "catalog-service")["state"] == "OPEN"
        refused = customer.call("GET", "/catalog-service/catalogs", headers=FRESH)
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) >= 1
    finally:
        shop.start("catalog-service")

    shop.until(lambda: customer.order(order["orderId"]).json()["status"] == "CONFIRMED", 10)
    # The probe that closes a breaker is a call; people order on.
    shop.until(lambda: "degraded" not in customer.place().json(), 15)
    assert shop.breaker("order-service", "catalog-service")["state"] == "CLOSED"


def test_the_users_page_is_degraded_while_order_service_is_down(shop: Any) -> None:
    customer = shop.customer()
    shop.kill("order-service")
    try:
        answer = customer.page()
        assert answer.status_code == 200
        assert answer.json()["orders"] == []
        assert answer.json()["degraded"] == ["order-service"]
        refused = customer.place()
        assert refused.status_code == 503
        assert refused.headers["Content-Type"] == "application/problem+json"
    finally:
        shop.start("order-service")
    shop.until(lambda: customer.place().status_code == 201, 20)


def test_orders_are_accepted_while_kafka_is_down_and_decided_when_it_is_back(shop: Any) -> None:
    customer = shop.customer()
    shop.kill("kafka")
    try:
        order = customer.place()
        assert order.status_code == 201
        assert order.json()["status"] == "PENDING"
    finally:
        shop.start("kafka")
    order_id = order.json()["orderId"]
    shop.until(lambda: customer.order(order_id).json()["status"] == "CONFIRMED", 45)


def test_a_dead_zipkin_fails_no_request(shop: Any) -> None:
    shop.kill("zipkin")
    try:
        assert shop.customer().place(wait=5).json()["status"] == "CONFIRMED"
    finally:
        shop.start("zipkin")


def test_a_process_that_dies_by_itself_is_restarted(shop: Any) -> None:
    def pid() -> int:
        return int(shop.rows()["catalog-service-1"]["pid"] or 0)

    first = pid()
    os.kill(first, signal.SIGKILL)

    shop.until(lambda: pid() not in (0, first), 20)
    customer = shop.customer()
    shop.until(lambda: customer.place(wait=5).json().get("status") == "CONFIRMED", 30)


def test_a_poison_message_is_dead_lettered_with_its_reason_and_the_next_one_is_handled(
    shop: Any,
) -> None:
    servers = shop.kafka
    producer = KafkaProducer(bootstrap_servers=servers)
    good = [
        ("ce_id", str(uuid.uuid4()).encode()),
        ("ce_source", b"test"),
        ("ce_type", b"order.placed"),
    ]
    for value, given in ((b"{no json", good), (b"{}", good), (b"{}", [])):
        producer.send("orders", value, key=b"poison", headers=given)
    producer.close()

    assert shop.customer().place(wait=8).json()["status"] == "CONFIRMED"

    consumer = KafkaConsumer(
        "orders.dead", bootstrap_servers=servers, auto_offset_reset="earliest", group_id=None
    )
    # By where the record lies: a letter may come twice when something is away before its commit.
    reasons: dict[bytes, str] = {}
    deadline = time.monotonic() + 15
    while len(reasons) < 3 and time.monotonic() < deadline:
        for batch in consumer.poll(timeout_ms=500).values():
            for record in batch:
                if record.key == b"poison":
                    headers = dict(record.headers)
                    reasons[headers["dead_from"]] = headers["dead_reason"].decode()
    consumer.close()
    assert len(reasons) == 3
    assert any("Invalid JSON" in reason for reason in reasons.values())
    assert any("Field required" in reason for reason in reasons.values())
    assert any("headers are missing" in reason for reason in reasons.values())
