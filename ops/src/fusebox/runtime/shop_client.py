"""The shop as its users see it: a client of the gateway, for tests, tours and benchmarks."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import requests

from fusebox.network.http import new_session

PASSWORD = "correct horse battery"
TIMEOUT = 15
# For who has to know what is so now: the gateway keeps the catalog's answers for a second.
FRESH = {"Cache-Control": "no-cache"}
NO_ANSWER = "no-answer"


@dataclass(frozen=True)
class OrderResult:
    """What the gateway answered to one order; `http_status` is 0 when nothing came back.

    `status` is the order's, and empty when it was refused; then `code` and `detail` are those of
    the problem (RFC 9457).
    """

    http_status: int
    status: str = ""
    code: str = ""
    detail: str = ""
    order_id: str = ""
    degraded: tuple[str, ...] = ()
    milliseconds: float = 0
    trace_url: str = ""

    @classmethod
    def of(cls, response: requests.Response, milliseconds: float) -> OrderResult:
        document = json_object(response)
        return cls(
            http_status=response.status_code,
            status=document.get("status", "") if response.ok else "",
            code="" if response.ok else document.get("code", "unknown"),
            detail="" if response.ok else document.get("detail", response.reason),
            order_id=document.get("orderId", ""),
            degraded=tuple(document.get("degraded", ())),
            milliseconds=milliseconds,
            trace_url=response.headers.get("X-Trace-Url", ""),
        )

    @property
    def is_accepted(self) -> bool:
        return self.http_status == 201

    @property
    def outcome(self) -> str:
        """The order's status, or the code of the refusal."""
        return self.status or self.code

    def __str__(self) -> str:
        without = f", degraded: {', '.join(self.degraded)}" if self.degraded else ""
        return f"{self.http_status} {self.outcome}{without}"


@dataclass
class Customer:
    """Somebody with a token; `place_order` apart, every method returns the answer as it came."""

    gateway: str
    user_id: str
    token: str
    session: requests.Session = field(default_factory=new_session)

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
        body = {"productId": product_id, "qty": qty}
        return self.call("POST", self.orders, json=body, headers=headers)

    def place_order(
        self, product_id: str, qty: int = 1, wait: int | None = None, key: str | None = None
    ) -> OrderResult:
        """Order as `place` does; that nothing came back is an outcome as well."""
        began = time.monotonic()
        try:
            response = self.place(product_id, qty, wait, key)
        except requests.RequestException as error:
            why = f"The gateway gave no answer ({type(error).__name__})."
            return OrderResult(
                0, code=NO_ANSWER, detail=why, milliseconds=milliseconds_since(began)
            )
        return OrderResult.of(response, milliseconds_since(began))

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
class ShopClient:
    gateway: str

    def customer(self, email: str | None = None) -> Customer:
        """A new user, logged in.  Raises requests.HTTPError when that does not work."""
        email = email or f"{uuid.uuid4().hex}@fusebox.example"
        user = {"email": email, "name": "Ann", "password": PASSWORD}
        self._request("POST", "/user-service/users", json=user)
        return self.login(email, PASSWORD)

    def login(self, email: str, password: str) -> Customer:
        credentials = {"email": email, "password": password}
        login = self._request("POST", "/user-service/login", json=credentials).json()
        return Customer(self.gateway, login["userId"], login["accessToken"])

    def products_in_stock(self) -> list[str]:
        """The ids of the first page of the catalog.  Raises requests.HTTPError."""
        products = self._request("GET", "/catalog-service/catalogs", headers=FRESH).json()
        return [product["productId"] for product in products if product["stock"] > 0]

    def stock(self, product_id: str) -> int:
        path = f"/catalog-service/catalogs/{product_id}"
        stock: int = self._request("GET", path, headers=FRESH).json()["stock"]
        return stock

    def _request(self, method: str, path: str, **given: Any) -> requests.Response:
        with new_session() as session:
            response = session.request(method, self.gateway + path, timeout=TIMEOUT, **given)
        response.raise_for_status()
        return response


def json_object(response: requests.Response) -> dict[str, Any]:
    """The JSON object of the answer; empty when it is none."""
    try:
        document = response.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def milliseconds_since(began: float) -> float:
    return 1000 * (time.monotonic() - began)
