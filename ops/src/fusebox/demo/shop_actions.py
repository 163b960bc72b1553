"""What the demo does as people do it: products by the admin, customers, orders."""

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
from fusebox.core.stack import Stack
from fusebox.core.wait import wait_until
from fusebox.demo.inspection import eventually
from fusebox.network import kafka_admin
from fusebox.runtime import remote
from fusebox.runtime.shop_client import FRESH, PASSWORD, Customer, OrderResult, ShopClient

ADMIN = "admin@fusebox.example"
PENDING, CONFIRMED = "PENDING", "CONFIRMED"
ENOUGH_STOCK = 1_000
# Longer than a breaker stays open, and than Kafka gives a dead member before it moves on.
RECOVERY_SECONDS = 30
WAIT_SECONDS = 8
CONCURRENT_REGISTRATIONS = 8


@dataclass(frozen=True)
class DemoProduct:
    product_id: str
    name: str
    price: int


# The same ones in every demo, so that the catalog does not fill with them.
TEAPOT = DemoProduct("DEMO-TEAPOT", "The tour's teapot", 1250)
LAST_PIECE = DemoProduct("DEMO-LAST-PIECE", "The tour's last piece", 9900)


class ShopActions:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._shop = ShopClient(stack.url("gateway"))

    def ready_customer(self) -> Customer:
        """A new customer of a healthy shop that has teapots in stock.

        Returns once an order was confirmed without degradation; raises Fault when none is.
        """
        wait_until(
            lambda: self._is_stocked(TEAPOT, ENOUGH_STOCK), RECOVERY_SECONDS, "catalog-service"
        )
        customer = self.customer()
        last, _ = eventually(
            lambda: place(customer, wait=WAIT_SECONDS), _is_confirmed, RECOVERY_SECONDS
        )
        if not _is_confirmed(last):
            raise Fault(
                f"the shop does not decide orders: the last was {last}",
                where=f"Its trace: {last.trace_url}",
                remedy="see `make status` and `make doctor`.",
            )
        return customer

    def customer(self) -> Customer:
        return self._shop.customer(f"tour-{secrets.token_hex(8)}@fusebox.example")

    def customers(self, number: int) -> list[Customer]:
        with ThreadPoolExecutor(CONCURRENT_REGISTRATIONS) as pool:
            return list(pool.map(lambda _: self.customer(), range(number)))

    def stock(self, product: DemoProduct = TEAPOT) -> int:
        """Asked again while the gateway does not know yet where catalog-service is."""
        stock, _ = eventually(
            lambda: self._stock(product), lambda value: value is not None, RECOVERY_SECONDS
        )
        if stock is None:
            raise Fault("catalog-service does not answer", remedy="see `make status`.")
        return stock

    def leave_one_in_stock(self, product: DemoProduct) -> None:
        """Have exactly one piece of it: add one, or buy what an interrupted demo has left."""
        wait_until(lambda: self._is_stocked(product, 1), RECOVERY_SECONDS, "catalog-service")
        surplus = self.stock(product) - 1
        if surplus:
            place(self.customer(), product, qty=surplus, wait=WAIT_SECONDS)

    def products_are_consumed(self) -> bool:
        """Whether order-service has no lag on `products`."""
        return remote.run(self._stack, kafka_admin.unread, "products", "order-service") == 0

    def _stock(self, product: DemoProduct) -> int | None:
        try:
            return self._shop.stock(product.product_id)
        except requests.HTTPError:
            return None

    def _is_stocked(self, product: DemoProduct, at_least: int) -> bool:
        """Create or top up; False while the shop cannot."""
        try:
            admin = self._shop.login(ADMIN, credentials.secret(self._stack, "admin-password"))
            path = f"/catalog-service/catalogs/{product.product_id}"
            answer = admin.call("GET", path, headers=FRESH)
            if answer.status_code == 404:
                return _create(admin, product, at_least).status_code in (201, 409)
            lacking = at_least - int(answer.json()["stock"]) if answer.ok else 0
            return answer.ok and (lacking <= 0 or _add(admin, product, lacking).ok)
        except requests.RequestException:
            return False


def place(
    customer: Customer,
    product: DemoProduct = TEAPOT,
    qty: int = 1,
    wait: int | None = None,
    key: str | None = None,
) -> OrderResult:
    return customer.place_order(product.product_id, qty, wait, key)


def place_with_retries(customer: Customer, product: DemoProduct) -> tuple[OrderResult, int]:
    """Order under one idempotency key until the shop is not too busy; and how often it was."""
    key, refusals = str(uuid.uuid4()), 0
    end = time.monotonic() + RECOVERY_SECONDS
    while True:
        order = place(customer, product, wait=WAIT_SECONDS, key=key)
        if order.http_status not in (0, 503) or time.monotonic() > end:
            return order, refusals
        refusals += 1
        time.sleep(1)  # as Retry-After says


def order_statuses(customer: Customer, orders: Collection[OrderResult]) -> dict[str, str]:
    """The statuses of `orders` by id; those that the shop does not know are LOST."""
    known: dict[str, str] = {}
    path = f"{customer.orders}?limit=200"
    while path:
        answer = customer.call("GET", path)
        answer.raise_for_status()
        known |= {order["orderId"]: order["status"] for order in answer.json()}
        path = answer.links.get("next", {}).get("url", "")
    return {order.order_id: known.get(order.order_id, "LOST") for order in orders}


def wait_for_decisions(
    customer: Customer, orders: Collection[OrderResult], seconds: float
) -> tuple[dict[str, str], float]:
    """The statuses of `orders` once none is PENDING or the time is over, and after how long."""
    return eventually(
        lambda: order_statuses(customer, orders),
        lambda statuses: PENDING not in statuses.values(),
        seconds,
    )


def log_in_again(customer: Customer, email: str) -> Customer:
    """The same customer with a fresh token: a reader may take longer than one lasts."""
    return ShopClient(customer.gateway).login(email, PASSWORD)


def _is_confirmed(order: OrderResult) -> bool:
    return order.status == CONFIRMED and not order.degraded


def _create(admin: Customer, product: DemoProduct, stock: int) -> requests.Response:
    body = {
        "productId": product.product_id,
        "productName": product.name,
        "unitPrice": product.price,
        "stock": stock,
    }
    return admin.call("POST", "/catalog-service/catalogs", json=body)


def _add(admin: Customer, product: DemoProduct, number: int) -> requests.Response:
    path = f"/catalog-service/catalogs/{product.product_id}"
    return admin.call("PATCH", path, json={"addStock": number})
