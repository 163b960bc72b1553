"""The acts of a script, played: each customer's own in their order, several customers at once."""

from __future__ import annotations

import heapq
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import requests

from fusebox.replay.plan import Act, Cancellation, Order, Product
from fusebox.replay.run.client import Account, Hand, code, expect
from fusebox.replay.run.retry_policy import Patience

OUT_OF_STOCK = "out-of-stock"


@dataclass
class Tally:
    """What the shop answered to each act; written by all hands at once."""

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

    def placed(self, order: Order, answer: requests.Response) -> None:
        """Latency is that of the request that was answered, not of those that failed before."""
        with self._writing:
            self.latencies.append(answer.elapsed.total_seconds())
            if answer.status_code == 201:
                said = answer.json()
                self.accepted[order.number] = said["orderId"]
                self.degraded += "degraded" in said
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


class Clock:
    """Turns the times of the file into times of now, `speed` times as fast; 0: no waiting."""

    def __init__(self, first: datetime, speed: float, patience: Patience) -> None:
        self._first = first
        self._speed = speed
        self._patience = patience
        self._began = time.monotonic()

    def wait_for(self, at: datetime) -> None:
        due = (at - self._first).total_seconds() / self._speed if self._speed else 0.0
        self._patience.sleep(self._began + due - time.monotonic())


@dataclass(frozen=True)
class Play:
    """One replay's own products and customers; `run` keeps them apart from any other's."""

    run: str
    accounts: dict[str, Account]
    admin: Account
    tally: Tally = field(default_factory=Tally)

    @property
    def prefix(self) -> str:
        """How the ids of this replay's products begin."""
        return f"RPL-{self.run}-"

    def product_id(self, code: str) -> str:
        return self.prefix + code

    def create(self, hand: Hand, product: Product) -> None:
        body = {
            "productId": self.product_id(product.code),
            "productName": product.name,
            "unitPrice": product.price,
            "stock": product.stock,
        }
        # 409: the first attempt had worked, and only its answer was lost.
        expect(hand.ask("POST", "/catalog-service/catalogs", self.admin, json=body), 201, 409)

    def register(self, hand: Hand, customer: str) -> None:
        account = self.accounts[customer]
        body = {
            "email": account.email,
            "name": f"Customer {customer}"[:100],
            "password": account.password,
        }
        expect(hand.ask("POST", "/user-service/users", json=body), 201, 409)
        hand.log_in(account)

    def perform(self, hand: Hand, lane: Iterable[Act], clock: Clock) -> None:
        for act in lane:
            clock.wait_for(act.at)
            self._place(hand, act) if isinstance(act, Order) else self._cancel(hand, act)

    def _place(self, hand: Hand, order: Order) -> None:
        account = self.accounts[order.customer]
        lines = [
            {"productId": self.product_id(code), "qty": pieces}
            for code, pieces in order.quantities.items()
        ]
        path, key = f"/order-service/{account.user_id}/orders", f"{self.run}-{order.number}"
        answer = hand.ask("POST", path, account, json={"lines": lines}, key=key)
        if answer.status_code != 201 and code(answer) != OUT_OF_STOCK:
            expect(answer, 201)
        self.tally.placed(order, answer)

    def _cancel(self, hand: Hand, cancellation: Cancellation) -> None:
        account = self.accounts[cancellation.customer]
        order_id = self.tally.accepted.get(cancellation.order)
        if order_id is None:
            self.tally.cancellation(None)
            return
        path = f"/order-service/{account.user_id}/orders/{order_id}/cancel"
        key = f"{self.run}-{cancellation.order}-cancel"
        self.tally.cancellation(expect(hand.ask("POST", path, account, key=key), 202, 409))


def lanes(acts: Iterable[Act], number: int) -> list[list[Act]]:
    """The acts in so many lists of about the same length, each customer's in one of them."""
    of_customer: defaultdict[str, list[Act]] = defaultdict(list)
    for act in acts:
        of_customer[act.customer].append(act)
    filled: list[tuple[int, int, list[Act]]] = [(0, place, []) for place in range(number)]
    for theirs in sorted(of_customer.values(), key=len, reverse=True):
        _, place, lane = heapq.heappop(filled)
        lane += theirs
        heapq.heappush(filled, (len(lane), place, lane))
    return [sorted(lane, key=_when) for _, _, lane in filled if lane]


def _when(act: Act) -> datetime:
    return act.at
