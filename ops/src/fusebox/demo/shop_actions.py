"""What the tour does as people do it: products by the admin, customers, orders."""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import requests

from fusebox.core import secrets as credentials
from fusebox.core.errors import Fault
from fusebox.core.shop_client import FRESH, PASSWORD, Customer, Shop
from fusebox.core.stack import Stack
from fusebox.core.wait import wait_until
from fusebox.demo.assertions import Order
from fusebox.demo.inspection import eventually
from fusebox.native import kafka
from fusebox.runtime import remote

ADMIN = "admin@fusebox.example"
PENDING, CONFIRMED = "PENDING", "CONFIRMED"
PLENTY = 1_000
# Longer than a breaker stays open, and than Kafka gives a dead member before it moves on.
RECOVERY_SECONDS = 30
HELD_SECONDS = 8
REGISTERING_AT_ONCE = 8


@dataclass(frozen=True)
class Product:
    product_id: str
    name: str
    price: int


# The same ones in every tour, so that the catalog does not fill with them.
TEAPOT = Product("DEMO-TEAPOT", "The tour's teapot", 1250)
LAST_PIECE = Product("DEMO-LAST-PIECE", "The tour's last piece", 9900)


class Trading:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._shop = Shop(stack.url("gateway"))

    def opened(self) -> Customer:
        """A new customer of a shop in order, with teapots on its shelf.

        Returns once an order has gone all its way; raises Fault when none does.
        """
        wait_until(lambda: self._shelved(TEAPOT, PLENTY), RECOVERY_SECONDS, "catalog-service")
        customer = self.customer()
        last, _ = eventually(
            lambda: place(customer, wait=HELD_SECONDS), _went_all_its_way, RECOVERY_SECONDS
        )
        if not _went_all_its_way(last):
            raise Fault(
                f"the shop does not decide orders: the last was {last}",
                where=f"Its trace: {last.trace}",
                remedy="see `make status` and `make doctor`.",
            )
        return customer

    def customer(self) -> Customer:
        return self._shop.customer(f"tour-{secrets.token_hex(8)}@fusebox.example")

    def customers(self, number: int) -> list[Customer]:
        with ThreadPoolExecutor(REGISTERING_AT_ONCE) as pool:
            return list(pool.map(lambda _: self.customer(), range(number)))

    def stock(self, product: Product = TEAPOT) -> int:
        """Asked again while the gateway has not yet heard where catalog-service is."""
        found, _ = eventually(
            lambda: self._stock(product), lambda stock: stock is not None, RECOVERY_SECONDS
        )
        if found is None:
            raise Fault("catalog-service does not answer", remedy="see `make status`.")
        return found

    def shelve_one(self, product: Product) -> None:
        """Have exactly one piece of it: add one, or buy what an interrupted tour has left."""
        wait_until(lambda: self._shelved(product, 1), RECOVERY_SECONDS, "catalog-service")
        surplus = self.stock(product) - 1
        if surplus:
            place(self.customer(), product, qty=surplus, wait=HELD_SECONDS)

    def is_heard(self) -> bool:
        """Whether order-service has heard all that was told of products."""
        return remote.run(self._stack, kafka.unread, "products", "order-service") == 0

    def orders_are_read(self) -> bool:
        """Whether catalog-service has handled all that lies in `orders`."""
        return remote.run(self._stack, kafka.unread, "orders", "catalog-service") == 0

    def _stock(self, product: Product) -> int | None:
        try:
            return self._shop.stock(product.product_id)
        except requests.HTTPError:
            return None

    def _shelved(self, product: Product, at_least: int) -> bool:
        """Create or top up; False while the shop cannot."""
        try:
            admin = self._shop.login(ADMIN, credentials.secret(self._stack, "admin-password"))
            path = f"/catalog-service/catalogs/{product.product_id}"
            there = admin.call("GET", path, headers=FRESH)
            if there.status_code == 404:
                return _create(admin, product, at_least).status_code in (201, 409)
            lacking = at_least - int(there.json()["stock"]) if there.ok else 0
            return there.ok and (lacking <= 0 or _add(admin, product, lacking).ok)
        except requests.RequestException:
            return False


def place(
    customer: Customer,
    product: Product = TEAPOT,
    qty: int = 1,
    wait: int | None = None,
    key: str | None = None,
) -> Order:
    """Order, and tell what came of it; no answer is an answer as well."""
    began = time.monotonic()
    try:
        answer = customer.place(product.product_id, qty, wait, key)
    except requests.RequestException as error:
        return Order(0, type(error).__name__)
    said = answer.json()
    return Order(
        code=answer.status_code,
        status=said.get("status") if answer.ok else said.get("code", "?"),
        order_id=said.get("orderId", ""),
        degraded=tuple(said.get("degraded", ())),
        milliseconds=1000 * (time.monotonic() - began),
        trace=answer.headers.get("X-Trace-Url", ""),
    )


def insist(customer: Customer, product: Product) -> tuple[Order, int]:
    """Order under one idempotency key until the shop is not too busy; how often it was."""
    key, refusals = str(uuid.uuid4()), 0
    end = time.monotonic() + RECOVERY_SECONDS
    while True:
        order = place(customer, product, wait=HELD_SECONDS, key=key)
        if order.code not in (0, 503) or time.monotonic() > end:
            return order, refusals
        refusals += 1
        time.sleep(1)  # as Retry-After says


def fates(customer: Customer, orders: Collection[Order]) -> dict[str, str]:
    """What has become of `orders` by now; those that the shop does not know are LOST."""
    known: dict[str, str] = {}
    path = f"{customer.orders}?limit=200"
    while path:
        answer = customer.call("GET", path)
        answer.raise_for_status()
        known |= {each["orderId"]: each["status"] for each in answer.json()}
        path = answer.links.get("next", {}).get("url", "")
    return {each.order_id: known.get(each.order_id, "LOST") for each in orders}


def decided(
    customer: Customer, orders: Collection[Order], seconds: float
) -> tuple[dict[str, str], float]:
    """The fates of `orders` once none is PENDING or the time is over, and after how long."""
    return eventually(
        lambda: fates(customer, orders), lambda found: PENDING not in found.values(), seconds
    )


def again(customer: Customer, email: str) -> Customer:
    """The same customer with a fresh token: a reader may take longer than one lasts."""
    return Shop(customer.gateway).login(email, PASSWORD)


def _went_all_its_way(order: Order) -> bool:
    return order.status == CONFIRMED and not order.degraded


def _create(admin: Customer, product: Product, stock: int) -> requests.Response:
    body = {
        "productId": product.product_id,
        "productName": product.name,
        "unitPrice": product.price,
        "stock": stock,
    }
    return admin.call("POST", "/catalog-service/catalogs", json=body)


def _add(admin: Customer, product: Product, number: int) -> requests.Response:
    path = f"/catalog-service/catalogs/{product.product_id}"
    return admin.call("PATCH", path, json={"addStock": number})
