"""The calls of the contract, all at once: what a shop full of customers would see of a fault."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from fusebox.runtime.shop_client import PASSWORD, Customer, ShopClient

from ...running import RunningShop
from .. import fault_injection, outcomes
from ..outcomes import ObservedAnswer

# How often each call is made at the same time: together enough for every breaker on its way to
# open, that of the gateway and, behind it, that of the service which answers degraded.
TIMES = {
    "register": 1,
    "log in": 1,
    "own page": 6,
    "products": 3,
    "one product": 3,
    "place an order": 6,
    "orders": 2,
    "one order": 2,
    "cancel": 2,
}
USUAL = {
    "register": "201",
    "log in": "200",
    "own page": "200",
    "products": "200",
    "one product": "200",
    "place an order": "201",
    "orders": "200",
    "one order": "200",
    "cancel": "202",
}
PRODUCT = "/catalog-service/catalogs/CATALOG-0001"


@dataclass
class ContractClient:
    """A customer who makes every call; `cancellable` are decided orders, one a cancel."""

    customer: Customer
    email: str
    patience: float
    decided_order: str
    cancellable: list[str] = field(default_factory=list)
    accepted: list[str] = field(default_factory=list)

    @classmethod
    def register(cls, shop: ShopClient, patience: float = 15, cancels: int = 8) -> ContractClient:
        """While all is well: later there may be no logging in."""
        email = f"{uuid.uuid4().hex}@fusebox.example"
        client = cls(shop.customer(email), email, patience, decided_order="")
        client.place_cancellable_orders(cancels)
        client.decided_order = client.cancellable.pop()
        return client

    def place_cancellable_orders(self, number: int) -> None:
        """Place `number` orders, to cancel them later."""
        with ThreadPoolExecutor(number) as pool:
            placed = list(pool.map(lambda _: self.customer.place(), range(number)))
        order_ids = [answer.json()["orderId"] for answer in placed]
        RunningShop.until(lambda: self.are_decided(order_ids), 30)
        self.cancellable += order_ids

    def are_decided(self, orders: list[str]) -> bool:
        return all(fault_injection.final_status(self.customer, order_id) for order_id in orders)

    def call_at_once(self, times: dict[str, int]) -> dict[str, list[ObservedAnswer]]:
        """Every call so many times, side by side."""
        names = [name for name, number in times.items() for _ in range(number)]
        requests_to_send = [self._request(name) for name in names]
        with ThreadPoolExecutor(len(names)) as pool:
            answers = list(pool.map(outcomes.observe, requests_to_send))
        by_call: dict[str, list[ObservedAnswer]] = {name: [] for name in times}
        for name, answer in zip(names, answers, strict=True):
            by_call[name].append(answer)
        self._record_accepted([placed.answer for placed in by_call.get("place an order", [])])
        return by_call

    def _record_accepted(self, placed: list[requests.Response | None]) -> None:
        self.accepted += [
            answer.json()["orderId"]
            for answer in placed
            if answer is not None and answer.status_code == 201
        ]

    def _request(self, name: str) -> Callable[[], requests.Response]:
        orders = self.customer.orders
        match name:
            case "register":
                email = f"{uuid.uuid4().hex}@fusebox.example"
                new = {"email": email, "name": "Ann", "password": PASSWORD}
                return lambda: self._send("POST", "/user-service/users", new)
            case "log in":
                credentials = {"email": self.email, "password": PASSWORD}
                return lambda: self._send("POST", "/user-service/login", credentials)
            case "own page":
                return lambda: self._send("GET", f"/user-service/users/{self.customer.user_id}")
            case "products":
                return lambda: self._send("GET", "/catalog-service/catalogs")
            case "one product":
                return lambda: self._send("GET", PRODUCT)
            case "place an order":
                body = {"productId": "CATALOG-0001", "qty": 1}
                return lambda: self._send("POST", orders, body)
            case "orders":
                return lambda: self._send("GET", orders)
            case "one order":
                return lambda: self._send("GET", f"{orders}/{self.decided_order}")
            case "cancel":
                cancelled = self.cancellable.pop()
                return lambda: self._send("POST", f"{orders}/{cancelled}/cancel")
        raise KeyError(name)

    def _send(
        self, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> requests.Response:
        # No session: of thirty callers at once each has a connection of its own.
        return requests.request(
            method,
            self.customer.gateway + path,
            json=body,
            headers={"Authorization": f"Bearer {self.customer.token}"},
            timeout=self.patience,
        )
