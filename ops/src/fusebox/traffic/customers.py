"""Steady customers: each looks, orders, reads and gives back, again and again, at its own pace."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import requests

from fusebox.runtime.shop_client import NO_ANSWER, Customer, json_object, milliseconds_since
from fusebox.traffic.tally import RequestOutcome, Tally

# What is ordered is given back, so no product sells out.
VISIT = ("look", "order", "read", "look", "read", "cancel")
# One that is refused for a reason of the shop's own rules has been served.
CONFLICT = 409


class SteadyCustomer:
    """One account.  `log_in` gets it a new token when the old one is over."""

    def __init__(
        self, customer: Customer, products: Sequence[str], log_in: Callable[[], Customer]
    ) -> None:
        self._customer = customer
        self._products = products
        self._log_in = log_in
        self._step = random.randrange(len(VISIT))
        self._open: deque[str] = deque()
        self._is_served = True

    def act(self) -> RequestOutcome:
        """The next thing of its visit."""
        action = VISIT[self._step % len(VISIT)]
        self._step += 1
        return self._do(action)

    def leave(self) -> None:
        """Give back what it still has, if the shop answers."""
        while self._open and self._is_served:
            self._do("cancel")

    def _do(self, action: str) -> RequestOutcome:
        began = time.monotonic()
        try:
            response = self._request(action)
            if response.status_code == requests.codes.unauthorized:
                self._customer = self._log_in()
                response = self._request(action)
        except requests.RequestException:
            outcome = RequestOutcome(milliseconds_since(began), failure=NO_ANSWER)
        else:
            outcome = self._judged(action, response, milliseconds_since(began))
        self._is_served = not outcome.failure
        return outcome

    def _request(self, action: str) -> requests.Response:
        customer = self._customer
        if action == "order":
            return customer.place(random.choice(self._products))
        if action == "cancel" and self._open:
            return customer.cancel(self._open.popleft())
        if action == "read" and self._open:
            return customer.order(self._open[-1])
        return customer.call("GET", "/catalog-service/catalogs")

    def _judged(
        self, action: str, response: requests.Response, milliseconds: float
    ) -> RequestOutcome:
        document = json_object(response)
        if response.status_code >= 400 and response.status_code != CONFLICT:
            code = document.get("code", "")
            return RequestOutcome(milliseconds, failure=f"{response.status_code} {code}".rstrip())
        if action == "order" and response.ok:
            self._open.append(str(document.get("orderId")))
        return RequestOutcome(milliseconds, degraded=bool(document.get("degraded")))


class CustomerLoad:
    """Customers, each with a thread of its own, who act `rate` times a second altogether."""

    def __init__(self, customers: Sequence[SteadyCustomer], rate: float, tally: Tally) -> None:
        self._tally = tally
        self._over = threading.Event()
        pause = len(customers) / rate
        self._threads = [
            threading.Thread(
                target=self._run, args=(customer, pause, i / rate), name="customer", daemon=True
            )
            for i, customer in enumerate(customers)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float) -> None:
        """Let them end what they do, for so long at the most."""
        self._over.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self, customer: SteadyCustomer, pause: float, first: float) -> None:
        """Who has waited for an answer longer than the pause does not catch up."""
        due = time.monotonic() + first
        while not self._over.wait(max(0.0, due - time.monotonic())):
            self._tally.add(customer.act())
            due = max(due + pause, time.monotonic())
        customer.leave()
