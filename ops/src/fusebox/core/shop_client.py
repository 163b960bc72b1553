"""The shop as its users see it: a client of the gateway, for tests, tours and benchmarks."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

PASSWORD = "correct horse battery"
TIMEOUT = 15
# For who has to know what is so now: the gateway keeps the catalog's answers for a second.
FRESH = {"Cache-Control": "no-cache"}


@dataclass
class Customer:
    """Somebody with a token.  Every method returns the answer as it came."""

    gateway: str
    user_id: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def place(
        self,
        product_id: str = "CATALOG-0001",
        qty: int = 1,
        wait: int | None = None,
        key: str | None = None,
    ) -> requests.Response:
        """Order; `wait` seconds for the decision, under the idempotency key `key`."""
        headers = {} if wait is None else {"Prefer": f"wait={wait}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        wanted = {"productId": product_id, "qty": qty}
        return self.call("POST", self.orders, json=wanted, headers=headers)

    def order(self, order_id: str) -> requests.Response:
        return self.call("GET", f"{self.orders}/{order_id}")

    def cancel(self, order_id: str) -> requests.Response:
        return self.call("POST", f"{self.orders}/{order_id}/cancel")

    def page(self) -> requests.Response:
        """The user's own page, with the orders on it."""
        return self.call("GET", f"/user-service/users/{self.user_id}")

    def call(self, method: str, path: str, **given: Any) -> requests.Response:
        given["headers"] = {"Authorization": f"Bearer {self.token}", **given.get("headers", {})}
        return self.session.request(method, self.gateway + path, timeout=TIMEOUT, **given)

    @property
    def orders(self) -> str:
        return f"/order-service/{self.user_id}/orders"


@dataclass(frozen=True)
class Shop:
    gateway: str

    def customer(self, email: str | None = None) -> Customer:
        """A new user, logged in.  Raises requests.HTTPError when that does not work."""
        email = email or f"{uuid.uuid4().hex}@fusebox.example"
        body = {"email": email, "name": "Ann", "password": PASSWORD}
        made = requests.post(f"{self.gateway}/user-service/users", json=body, timeout=TIMEOUT)
        made.raise_for_status()
        return self.login(email, PASSWORD)

    def login(self, email: str, password: str) -> Customer:
        answer = requests.post(
            f"{self.gateway}/user-service/login",
            json={"email": email, "password": password},
            timeout=TIMEOUT,
        )
        answer.raise_for_status()
        said = answer.json()
        return Customer(self.gateway, said["userId"], said["accessToken"])

    def stock(self, product_id: str) -> int:
        path = f"/catalog-service/catalogs/{product_id}"
        answer = requests.get(self.gateway + path, headers=FRESH, timeout=TIMEOUT)
        answer.raise_for_status()
        found: int = answer.json()["stock"]
        return found
