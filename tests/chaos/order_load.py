"""Customers who order at a steady rate, whatever the shop does; every answer is recorded."""

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
from typing import NamedTuple

import requests

from fusebox.runtime.shop_client import PASSWORD, Customer, ShopClient

from ..running import RunningShop
from . import outcomes
from .client_lag import ClientLag
from .outcomes import (
    NO_ANSWER,
    NO_CONNECTION,
    REFUSED,
    ObservedAnswer,
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
class ClientCall:
    """One call, of which only so much is kept that a long soak test fits the memory.

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


def call_of(kind: str, key: str, began: float, observed: ObservedAnswer) -> ClientCall:
    ended, complaint = began + observed.seconds, _complaint(kind, observed)
    order_id = _accepted_order(observed.answer) if kind == "order" else ""
    return ClientCall(kind, key, began, ended, observed.outcome, order_id, complaint)


def _accepted_order(answer: requests.Response | None) -> str:
    """The id of the order; empty when it was not accepted."""
    return str(answer.json()["orderId"]) if answer is not None and answer.status_code == 201 else ""


def _complaint(kind: str, observed: ObservedAnswer) -> str:
    if observed.answer is None or observed.outcome not in EXPECTED[kind] | REFUSED:
        return f"{kind}: {observed.outcome}"
    return ", ".join(outcomes.complaints(observed.answer))


class IntendedOrder(NamedTuple):
    customer: Customer
    product_id: str
    key: str


class OrderLoad:
    """`calls` grows while it runs."""

    def __init__(self, shop: ShopClient, rate: float, chance: random.Random) -> None:
        self._shop = shop
        self._rate = rate
        self._chance = chance
        emails = [f"{uuid.uuid4().hex}@fusebox.example" for _ in range(CUSTOMERS)]
        self._customers = {email: shop.customer(email) for email in emails}
        self._attempts: list[IntendedOrder] = []
        self.calls: list[ClientCall] = []
        self._lag = ClientLag()

    @contextmanager
    def running(self) -> Iterator[None]:
        """At least until the block is over; every answer has come then."""
        enough = threading.Event()
        with (
            self._lag.measured(),
            ThreadPoolExecutor(CALLERS) as callers,
            ThreadPoolExecutor(1) as pace,
        ):
            pacing = pace.submit(self._keep_pace, callers, enough)
            try:
                yield
            finally:
                enough.set()
                for visit in pacing.result():
                    visit.result()

    def renew_tokens(self) -> None:
        """Log everybody in anew: a token expires after 15 minutes, a soak test may be longer."""
        for email, customer in self._customers.items():
            RunningShop.until(partial(self._logs_in, email, customer))

    def await_calls(self, number: int) -> None:
        """Until so many more calls have been answered."""
        target = len(self.calls) + number
        while len(self.calls) < target:
            time.sleep(0.05)

    def accepted(self) -> set[str]:
        """Every order that was answered with 201."""
        return {call.order_id for call in self.calls if call.order_id}

    def cancelled(self) -> set[str]:
        return {c.key for c in self.calls if c.kind == "cancel" and c.outcome == "202"}

    def complaints(self) -> set[str]:
        return {call.complaint for call in self.calls} - {""}

    def longer_than(self, seconds: float) -> list[tuple[ClientCall, float]]:
        """Calls for whose answers the shop took longer, with how long; the client's own lateness
        is not the shop's."""
        took = [
            (call, call.ended - call.began - self._lag.within(call.began, call.ended))
            for call in self.calls
            if call.ended - call.began > seconds
        ]
        return [(call, time_taken) for call, time_taken in took if time_taken > seconds]

    def orders_of_keys(self) -> dict[str, set[str]]:
        """Which orders each Idempotency-Key was answered with."""
        orders: dict[str, set[str]] = {attempt.key: set() for attempt in self._attempts}
        for call in self.calls:
            if call.order_id:
                orders[call.key].add(call.order_id)
        return orders

    def retry_unanswered(self) -> list[str]:
        """Send every order that has no answer again, with its key; returns the keys without one."""
        answered = self.orders_of_keys()
        unanswered = [attempt for attempt in self._attempts if not answered[attempt.key]]
        with ThreadPoolExecutor(CUSTOMERS) as pool:
            list(pool.map(self._place, unanswered))
        answered = self.orders_of_keys()
        return [key for key, orders in answered.items() if not orders]

    def _keep_pace(
        self, callers: ThreadPoolExecutor, enough: threading.Event
    ) -> list[Future[None]]:
        visits = []
        due = time.monotonic()
        while not enough.wait(max(0.0, due - time.monotonic())):
            due += 1 / self._rate
            customer = self._chance.choice(list(self._customers.values()))
            attempt = IntendedOrder(customer, self._chance.choice(PRODUCTS), str(uuid.uuid4()))
            self._attempts.append(attempt)
            visits.append(callers.submit(self._visit, attempt, self._chance.random()))
        return visits

    def _logs_in(self, email: str, customer: Customer) -> bool:
        try:
            customer.token = self._shop.login(email, PASSWORD).token
        except requests.RequestException:
            return False
        return True

    def _visit(self, attempt: IntendedOrder, random_draw: float) -> None:
        customer, call = attempt.customer, self._place(attempt)
        if random_draw < 1 / CANCELLED and call.order_id:
            path = f"{customer.orders}/{call.order_id}/cancel"
            self._call("cancel", customer, call.order_id, "POST", path)
        elif random_draw > 1 - 1 / PAGES:
            path = f"/user-service/users/{customer.user_id}"
            self._call("page", customer, "", "GET", path)

    def _place(self, attempt: IntendedOrder) -> ClientCall:
        customer, body = attempt.customer, {"productId": attempt.product_id, "qty": 1}
        return self._call("order", customer, attempt.key, "POST", customer.orders, body)

    def _call(
        self,
        kind: str,
        customer: Customer,
        key: str,
        method: str,
        path: str,
        body: dict[str, object] | None = None,
    ) -> ClientCall:
        headers = {"Idempotency-Key": key} if kind == "order" else {}
        began = time.monotonic()
        observed = outcomes.observe(lambda: customer.call(method, path, json=body, headers=headers))
        call = call_of(kind, key, began, observed)
        self.calls.append(call)
        return call
