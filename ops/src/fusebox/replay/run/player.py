"""Plays the actions of a plan: one customer's in their order, several customers at once."""

from __future__ import annotations

import heapq
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import requests

from fusebox.replay.plan import PlannedAction, PlannedCancellation, PlannedOrder, PlannedProduct
from fusebox.replay.run.client import ReplayAccount, ReplayClient, code, expect
from fusebox.replay.run.retry_policy import RetryPolicy

OUT_OF_STOCK = "out-of-stock"


@dataclass
class ReplayTally:
    """What the shop answered to the actions; written by all workers at once."""

    accepted: dict[int, str] = field(default_factory=dict)  # order ids by the orders' numbers
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    degraded: int = 0
    cancelled: int = 0
    too_late: int = 0
    never_placed: int = 0
    _writing: threading.Lock = field(default_factory=threading.Lock)

    @property
    def done(self) -> int:
        return len(self.latencies) + self.cancelled + self.too_late + self.never_placed

    def placed(self, order: PlannedOrder, answer: requests.Response) -> None:
        """Latency is that of the request that was answered, not of those that failed before."""
        with self._writing:
            self.latencies.append(answer.elapsed.total_seconds())
            if answer.status_code == 201:
                document = answer.json()
                self.accepted[order.number] = document["orderId"]
                self.degraded += "degraded" in document
            else:
                self.refused += 1

    def cancellation(self, answer: requests.Response | None) -> None:
        """None stands for an order that the shop had refused: there was nothing to cancel."""
        with self._writing:
            if answer is None:
                self.never_placed += 1
            elif answer.status_code == 202:
                self.cancelled += 1
            else:
                self.too_late += 1


class ReplayClock:
    """Turns the times of the file into times of now, `speed` times as fast; 0: no waiting."""

    def __init__(self, first: datetime, speed: float, retry_policy: RetryPolicy) -> None:
        self._first = first
        self._speed = speed
        self._retry_policy = retry_policy
        self._began = time.monotonic()

    def wait_for(self, at: datetime) -> None:
        due = (at - self._first).total_seconds() / self._speed if self._speed else 0.0
        self._retry_policy.sleep(self._began + due - time.monotonic())


@dataclass(frozen=True)
class Player:
    """One replay with its own products and customers; `run` keeps them apart from any other's."""

    run: str
    accounts: dict[str, ReplayAccount]
    admin: ReplayAccount
    tally: ReplayTally = field(default_factory=ReplayTally)

    @property
    def prefix(self) -> str:
        """How the ids of this replay's products begin."""
        return f"RPL-{self.run}-"

    def product_id(self, code: str) -> str:
        return self.prefix + code

    def create(self, client: ReplayClient, product: PlannedProduct) -> None:
        body = {
            "productId": self.product_id(product.code),
            "productName": product.name,
            "unitPrice": product.price,
            "stock": product.stock,
        }
        # 409: the first attempt had worked, and only its answer was lost.
        expect(client.request("POST", "/catalog-service/catalogs", self.admin, json=body), 201, 409)

    def register(self, client: ReplayClient, customer: str) -> None:
        account = self.accounts[customer]
        body = {
            "email": account.email,
            "name": f"Customer {customer}"[:100],
            "password": account.password,
        }
        expect(client.request("POST", "/user-service/users", json=body), 201, 409)
        client.log_in(account)

    def play(
        self, client: ReplayClient, queue: Iterable[PlannedAction], clock: ReplayClock
    ) -> None:
        for action in queue:
            clock.wait_for(action.at)
            if isinstance(action, PlannedOrder):
                self._place(client, action)
            else:
                self._cancel(client, action)

    def _place(self, client: ReplayClient, order: PlannedOrder) -> None:
        account = self.accounts[order.customer]
        lines = [
            {"productId": self.product_id(code), "qty": pieces}
            for code, pieces in order.quantities.items()
        ]
        path, key = f"/order-service/{account.user_id}/orders", f"{self.run}-{order.number}"
        answer = client.request("POST", path, account, json={"lines": lines}, key=key)
        if answer.status_code != 201 and code(answer) != OUT_OF_STOCK:
            expect(answer, 201)
        self.tally.placed(order, answer)

    def _cancel(self, client: ReplayClient, cancellation: PlannedCancellation) -> None:
        account = self.accounts[cancellation.customer]
        order_id = self.tally.accepted.get(cancellation.order)
        if order_id is None:
            self.tally.cancellation(None)
            return
        path = f"/order-service/{account.user_id}/orders/{order_id}/cancel"
        key = f"{self.run}-{cancellation.order}-cancel"
        self.tally.cancellation(expect(client.request("POST", path, account, key=key), 202, 409))


def customer_queues(actions: Iterable[PlannedAction], number: int) -> list[list[PlannedAction]]:
    """The actions in so many queues of about the same length, one customer's all in the same."""
    of_customer: defaultdict[str, list[PlannedAction]] = defaultdict(list)
    for action in actions:
        of_customer[action.customer].append(action)
    filled: list[tuple[int, int, list[PlannedAction]]] = [(0, place, []) for place in range(number)]
    for own in sorted(of_customer.values(), key=len, reverse=True):
        _, place, queue = heapq.heappop(filled)
        queue += own
        heapq.heappush(filled, (len(queue), place, queue))
    return [sorted(queue, key=_when) for _, _, queue in filled if queue]


def _when(action: PlannedAction) -> datetime:
    return action.at
