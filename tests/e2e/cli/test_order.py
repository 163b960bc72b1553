"""`make order` on a real shop: confirmed when all is well, degraded when a service is dead."""

import json
from typing import Any


def test_an_order_of_the_command_line_is_confirmed(shop: Any) -> None:
    done = shop.run("order", "-n", "2", "--wait", "8")

    assert done.stdout.count(": CONFIRMED after ") == 2
    assert done.stdout.count(f"  trace: {shop.stack.url('zipkin')}/zipkin/traces/") == 2
    assert "degraded" not in done.stdout
    assert "2 of 2 orders were accepted." in done.stdout


def test_an_order_of_an_unknown_product_fails_with_the_reason(shop: Any) -> None:
    done = shop.run("order", "--product", "CATALOG-NONE", "--json", check=False)

    (document,) = json.loads(done.stdout)
    assert done.returncode == 1
    assert (document["httpStatus"], document["code"]) == (404, "product-unknown")
    assert document["detail"]


def test_with_catalog_service_dead_an_order_is_pending_and_degraded(shop: Any) -> None:
    shop.kill("catalog-service")
    try:
        done = shop.run("order", "--wait", "1")
    finally:
        shop.start("catalog-service")

    assert "Order 1: PENDING after " in done.stdout
    assert "degraded: catalog-service" in done.stdout
    assert "last known price and stock" in done.stdout
