"""The main job: an order travels through every real part."""

import re
import uuid
from typing import Any

import pytest


def test_an_order_is_confirmed_and_takes_its_stock(shop: Any) -> None:
    before = shop.stock("CATALOG-0001")

    answer = shop.customer().place("CATALOG-0001", qty=2, wait=5)

    assert answer.status_code == 201
    order = answer.json()
    assert order["status"] == "CONFIRMED"
    assert order["totalPrice"] == 3000
    assert order["lines"] == [{"productId": "CATALOG-0001", "qty": 2, "unitPrice": 1500}]
    assert answer.headers["Location"].endswith(f"/orders/{order['orderId']}")
    assert shop.stock("CATALOG-0001") == before - 2


def test_a_cancel_gives_the_stock_back_once(shop: Any) -> None:
    customer = shop.customer()
    before = shop.stock("CATALOG-0002")
    order_id = customer.place("CATALOG-0002", qty=3, wait=5).json()["orderId"]
    assert shop.stock("CATALOG-0002") == before - 3

    first, second = customer.cancel(order_id), customer.cancel(order_id)

    assert first.status_code == 202
    assert first.json()["status"] == "CANCELLED"
    assert second.status_code == 409
    shop.until(lambda: shop.stock("CATALOG-0002") == before)


def test_the_same_key_and_body_is_one_order_and_one_answer(shop: Any) -> None:
    customer, key = shop.customer(), str(uuid.uuid4())

    first = customer.place(qty=1, key=key)
    again = customer.place(qty=1, key=key)
    other = customer.place(qty=2, key=key)

    assert again.status_code == first.status_code == 201
    assert again.json() == first.json()
    assert other.status_code == 422
    assert other.json()["code"] == "idempotency-key-reused"
    assert len(customer.page().json()["orders"]) == 1


def test_a_page_ends_with_a_link_to_the_next(shop: Any) -> None:
    customer = shop.customer()
    placed = [customer.place("CATALOG-0003", wait=5).json()["orderId"] for _ in range(3)]

    first = customer.call("GET", f"{customer.orders}?limit=2")
    link = re.fullmatch(r'<(/order-service/[^>]+)>; rel="next"', first.headers["Link"])
    assert link
    second = customer.call("GET", link.group(1))

    listed = [order["orderId"] for order in (*first.json(), *second.json())]
    assert listed == placed[::-1]
    assert "Link" not in second.headers


BAD_ORDERS = [
    ({"productId": "CATALOG-0001", "qty": 0}, 422, "invalid-request"),
    ({"productId": "CATALOG-0001", "qty": -1}, 422, "invalid-request"),
    ({"productId": "CATALOG-0001", "qty": 1.5}, 422, "invalid-request"),
    ({"productId": "CATALOG-0001", "qty": 10**12}, 422, "invalid-request"),
    ({"productId": "CATALOG-0001", "qty": "3"}, 422, "invalid-request"),
    ({"productId": "CATALOG-0001"}, 422, "invalid-request"),
    ({"productId": "CATALOG-0001", "qty": 1, "colour": "red"}, 422, "invalid-request"),
    ({"lines": []}, 422, "invalid-request"),
    ({"productId": "CATALOG-9999", "qty": 1}, 404, "product-unknown"),
    ({"productId": "CATALOG-0001", "qty": 999_999}, 409, "out-of-stock"),
    ({"productId": "CATALOG-0001", "qty": 1, "unitPrice": 1}, 409, "price-changed"),
]


@pytest.mark.parametrize(("body", "status", "code"), BAD_ORDERS)
def test_a_bad_order_is_refused_with_its_error_code(
    shop: Any, body: dict[str, Any], status: int, code: str
) -> None:
    customer = shop.customer()

    answer = customer.call("POST", customer.orders, json=body)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == code
    assert problem["traceId"] == answer.headers["X-Trace-Id"]
    assert customer.page().json()["orders"] == []


def test_a_body_that_cannot_be_read_is_refused_with_its_reason(shop: Any) -> None:
    customer = shop.customer()
    json_type = {"Content-Type": "application/json"}

    def send(body: str, headers: dict[str, str]) -> tuple[int, str]:
        answer = customer.call("POST", customer.orders, data=body, headers=headers)
        return answer.status_code, answer.json()["code"]

    assert send("{no", json_type) == (400, "malformed-request")
    assert send("qty=1", {"Content-Type": "text/plain"}) == (415, "unsupported-media-type")
    assert send(" " * 2_000_000, json_type) == (413, "body-too-large")
    assert customer.call("PUT", customer.orders).status_code == 405
    assert customer.call("GET", "/nobody-service/x").status_code == 404
