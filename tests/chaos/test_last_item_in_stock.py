"""Many concurrent buyers of the last item in stock."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import requests

from fusebox.runtime.shop_client import Customer

from . import fault_injection

BUYERS = 50


def test_of_fifty_buyers_of_the_last_item_one_gets_it_and_all_get_an_outcome(shop: Any) -> None:
    product_id = f"LAST-{uuid.uuid4().hex[:8]}"
    product = {"productId": product_id, "productName": "Rest", "unitPrice": 100, "stock": 1}
    assert shop.admin().call("POST", "/catalog-service/catalogs", json=product).status_code == 201
    with ThreadPoolExecutor(8) as pool:
        buyers = list(pool.map(lambda _: shop.customer(), range(BUYERS)))

    start = Barrier(BUYERS)
    with ThreadPoolExecutor(BUYERS) as pool:
        statuses = list(pool.map(lambda buyer: _buy(shop, buyer, product_id, start), buyers))

    assert statuses.count("CONFIRMED") == 1, statuses
    assert set(statuses) <= {"CONFIRMED", "REJECTED", "out-of-stock"}, statuses
    assert shop.stock(product_id) == 0
    fault_injection.assert_verified(shop)


def _buy(shop: Any, buyer: Customer, product_id: str, start: Barrier) -> str:
    """Retry until there is an answer, and poll until the order is decided."""
    answers: list[requests.Response] = []
    key = str(uuid.uuid4())
    start.wait()

    def is_answered() -> bool:
        answers.append(buyer.place(product_id, key=key))
        return answers[-1].status_code < 500

    shop.until(is_answered, 30)
    answer = answers[-1].json()
    if answers[-1].status_code != 201:
        return str(answer["code"])
    statuses: list[str] = []

    def is_decided() -> bool:
        statuses.append(fault_injection.final_status(buyer, answer["orderId"]))
        return bool(statuses[-1])

    shop.until(is_decided, 30)
    return statuses[-1]
