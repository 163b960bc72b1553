"""Customers who order at a steady rate, whatever the shop does, and note what they were told."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import requests

from fusebox.core.shop_client import PASSWORD, Customer, Shop

from ..running import RunningShop
from . import outcomes
from .outcomes import (
    NO_ANSWER,
    NO_CONNECTION,
    REFUSED,
    Seen,
)

CUSTOMERS = 8
CALLERS = 64
PRODUCTS = ("CATALOG-0001", "CATALOG-0002", "CATALOG-0003")
# One order in so many is cancelled, one page in so many orders looked at.
CANCELLED = 10
PAGES = 10
EXPECTED = {
    "order": {"201", "201 degraded: catalog-service", "409 idempotency-in-progress"},
    # Too late, when the order has been rejected or an answer was lost and the cancel was not.
    "cancel": {"202", "409 too-late"},
    "page": {"200", "200 degraded: order-service"},
}


@dataclass(frozen=True)
class Shot:
    """One call, of which only so much is kept that a long storm fits the memory.

    `key` is an order's Idempotency-Key or a cancel's order; `order_id` that of an order that was
    accepted; `complaint` why the contract does not have this answer.  Times are time.monotonic's.
    """

    kind: str
    key: str
    began: float
    ended: float
    outcome: str
    order_id: str
    complaint: str

    @property
    def is_refused(self) -> bool:
        return self.outcome in {*REFUSED, NO_CONNECTION, NO_ANSWER}


def shot_of(kind: str, key: str, began: float, seen: Seen) -> Shot:
    is_accepted = kind == "order" and seen.answer is not None and seen.answer.status_code == 201
    order_id = seen.answer.json()["orderId"] if is_accepted and seen.answer is not None else ""
    return Shot(
        kind, key, began, began + seen.seconds, seen.outcome, order_id, _complaint(kind, seen)
    )


def _complaint(kind: str, seen: Seen) -> str:
    if seen.answer is None or seen.outcome not in EXPECTED[kind] | REFUSED:
        return f"{kind}: {seen.outcome}"
    return ", ".join(outcomes.complaints(seen.answer))


class Load:
    """`shots` grows while it runs."""

    def __init__(self, shop: Shop, rate: float, chance: random.Random) -> None:
        self._shop = shop
        self._rate = rate
        self._chance = chance
        emails = [f"{uuid.uuid4().hex}@fusebox.example" for _ in range(CUSTOMERS)]
        self._customers = {email: shop.customer(email) for email in emails}
        self._wanted: list[tuple[Customer, str, str]] = []
        self.shots: list[Shot] = []

    @contextmanager
    def running(self) -> Iterator[None]:
        """At least until the block is over; every answer has come then."""
        enough = threading.Event()
        with ThreadPoolExecutor(CALLERS) as callers, ThreadPoolExecutor(1) as pace:
            pacing = pace.submit(self._keep_pace, callers, enough)
            try:
                yield
            finally:
                enough.set()
                for call in pacing.result():
                    call.result()

    def renew(self) -> None:
        """Log everybody in anew: a token lives for a quarter of an hour, a storm may be longer."""
        for email, customer in self._customers.items():
            RunningShop.until(partial(self._logs_in, email, customer))

    def await_shots(self, number: int) -> None:
        """Until so many more calls have been answered."""
        wanted = len(self.shots) + number
        while len(self.shots) < wanted:
            time.sleep(0.05)

    def accepted(self) -> set[str]:
        """Every order that was answered with 201."""
        return {shot.order_id for shot in self.shots if shot.order_id}

    def cancelled(self) -> set[str]:
        return {s.key for s in self.shots if s.kind == "cancel" and s.outcome == "202"}

    def complaints(self) -> set[str]:
        return {shot.complaint for shot in self.shots} - {""}

    def orders_of_keys(self) -> dict[str, set[str]]:
        """Which orders each Idempotency-Key was answered with."""
        found: dict[str, set[str]] = {key: set() for _, _, key in self._wanted}
        for shot in self.shots:
            if shot.order_id:
                found[shot.key].add(shot.order_id)
        return found

    def ask_again(self) -> list[str]:
        """Send every order that has no answer again, with its key; returns who has none yet."""
        answered = self.orders_of_keys()
        left = [wanted for wanted in self._wanted if not answered[wanted[2]]]
        with ThreadPoolExecutor(CUSTOMERS) as pool:
            list(pool.map(lambda wanted: self._place(*wanted), left))
        answered = self.orders_of_keys()
        return [key for key, orders in answered.items() if not orders]

    def _keep_pace(
        self, callers: ThreadPoolExecutor, enough: threading.Event
    ) -> list[Future[None]]:
        under_way = []
        due = time.monotonic()
        while not enough.wait(max(0.0, due - time.monotonic())):
            due += 1 / self._rate
            customer = self._chance.choice(list(self._customers.values()))
            wanted = (customer, self._chance.choice(PRODUCTS), str(uuid.uuid4()))
            self._wanted.append(wanted)
            under_way.append(callers.submit(self._visit, wanted, self._chance.random()))
        return under_way

    def _logs_in(self, email: str, customer: Customer) -> bool:
        try:
            customer.token = self._shop.login(email, PASSWORD).token
        except requests.RequestException:
            return False
        return True

    def _visit(self, wanted: tuple[Customer, str, str], whim: float) -> None:
        customer, shot = wanted[0], self._place(*wanted)
        if whim < 1 / CANCELLED and shot.order_id:
            path = f"{customer.orders}/{shot.order_id}/cancel"
            self._shoot("cancel", customer, shot.order_id, "POST", path)
        elif whim > 1 - 1 / PAGES:
            path = f"/user-service/users/{customer.user_id}"
            self._shoot("page", customer, "", "GET", path)

    def _place(self, customer: Customer, product_id: str, key: str) -> Shot:
        body = {"productId": product_id, "qty": 1}
        return self._shoot("order", customer, key, "POST", customer.orders, body)

    def _shoot(
        self,
        kind: str,
        customer: Customer,
        key: str,
        method: str,
        path: str,
        body: dict[str, object] | None = None,
    ) -> Shot:
        headers = {"Idempotency-Key": key} if kind == "order" else {}
        began = time.monotonic()
        seen = outcomes.see(lambda: customer.call(method, path, json=body, headers=headers))
        shot = shot_of(kind, key, began, seen)
        self.shots.append(shot)
        return shot
