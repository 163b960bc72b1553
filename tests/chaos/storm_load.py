"""Customers who order as fast as they are answered, and ask again until each order is answered."""

from __future__ import annotations

import queue
import random
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import requests

from fusebox.runtime.shop_client import PASSWORD, Customer, ShopClient

from . import outcomes

CUSTOMERS = 64
# So long an order may be asked for again and again: parts come back sooner.
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 0.05
ACCEPTED = frozenset(("201", "201 degraded: catalog-service"))
SOLD_OUT = "409 out-of-stock"
AGAIN = outcomes.REFUSED | {
    outcomes.NO_CONNECTION,
    outcomes.NO_ANSWER,
    "409 idempotency-in-progress",
    "401 token-expired",
}


class StormOrder(NamedTuple):
    key: str
    product_id: str


class StormLoad:
    """`accepted` are the orders by their Idempotency-Keys; it grows while the load runs."""

    def __init__(
        self, shop: ShopClient, orders: int, products: list[str], chance: random.Random
    ) -> None:
        self._shop = shop
        self._left: queue.SimpleQueue[StormOrder] = queue.SimpleQueue()
        for _ in range(orders):
            self._left.put(StormOrder(str(uuid.uuid4()), chance.choice(products)))
        self.accepted: dict[str, str] = {}
        self.sold_out: set[str] = set()
        self.failures: list[str] = []
        self.requests = 0
        self.seconds = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until every order has its answer."""
        began = time.monotonic()
        emails = [f"{uuid.uuid4().hex}@fusebox.example" for _ in range(CUSTOMERS)]
        customers = {email: self._shop.customer(email) for email in emails}
        threads = [
            threading.Thread(target=self._order, args=(email, customer), name=email)
            for email, customer in customers.items()
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()
            self.seconds = time.monotonic() - began

    @property
    def answered(self) -> int:
        return len(self.accepted) + len(self.sold_out) + len(self.failures)

    def await_answers(self, number: int) -> None:
        """Until so many orders have their answers."""
        while self.answered < number:
            time.sleep(PAUSE_SECONDS)

    def _order(self, email: str, customer: Customer) -> None:
        while True:
            try:
                order = self._left.get_nowait()
            except queue.Empty:
                return
            self._place(order, email, customer)

    def _place(self, order: StormOrder, email: str, customer: Customer) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            self.requests += 1
            observed = outcomes.observe(lambda: customer.place(order.product_id, key=order.key))
            if observed.outcome in ACCEPTED and observed.answer is not None:
                self.accepted[order.key] = observed.answer.json()["orderId"]
                return
            if observed.outcome == SOLD_OUT:
                self.sold_out.add(order.key)
                return
            if observed.outcome not in AGAIN or time.monotonic() > end:
                self.failures.append(f"{order.key}: {observed.outcome}")
                return
            time.sleep(PAUSE_SECONDS)
            if observed.outcome == "401 token-expired":
                self._log_in(email, customer)

    def _log_in(self, email: str, customer: Customer) -> None:
        """A token expires after 15 minutes, and a storm may take longer."""
        try:
            customer.token = self._shop.login(email, PASSWORD).token
        except requests.RequestException:
            return  # the next answer says so again
