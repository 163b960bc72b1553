"""Many buyers and one piece."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import requests

from fusebox.core.shop_client import Customer

from . import fault_injection

BUYERS = 50


def test_of_fifty_buyers_of_the_last_piece_one_gets_it_and_all_are_told(shop: Any) -> None:
    product_id = f"LAST-{uuid.uuid4().hex[:8]}"
    wares = {"productId": product_id, "productName": "Rest", "unitPrice": 100, "stock": 1}
    assert shop.admin().call("POST", "/catalog-service/catalogs", json=wares).status_code == 201
    with ThreadPoolExecutor(8) as pool:
        buyers = list(pool.map(lambda _: shop.customer(), range(BUYERS)))

    start = Barrier(BUYERS)
    with ThreadPoolExecutor(BUYERS) as pool:
        fates = list(pool.map(lambda buyer: _buy(shop, buyer, product_id, start), buyers))

    assert fates.count("CONFIRMED") == 1, fates
    assert set(fates) <= {"CONFIRMED", "REJECTED", "out-of-stock"}, fates
    assert shop.stock(product_id) == 0
    fault_injection.assert_verified(shop)


def _buy(shop: Any, buyer: Customer, product_id: str, start: Barrier) -> str:
    """Asks until there is an answer, and looks until the order is decided."""
    answers: list[requests.Response] = []
    key = str(uuid.uuid4())
    start.wait()

    def is_answered() -> bool:
        answers.append(buyer.place(product_id, key=key))
        return answers[-1].status_code < 500

    shop.until(is_answered, 30)
    told = answers[-1].json()
    if answers[-1].status_code != 201:
        return str(told["code"])
    fates: list[str] = []

    def is_decided() -> bool:
        fates.append(fault_injection.fate(buyer, told["orderId"]))
        return bool(fates[-1])

    shop.until(is_decided, 30)
    return fates[-1]
