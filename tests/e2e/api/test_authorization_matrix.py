"""Every operation of the shop, asked by everybody who may come: the table of docs/security.md.

FUSEBOX_WRITE_MATRIX=1 writes the table anew.
"""

import os
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from fusebox.runtime.shop_client import PASSWORD, Customer

from ...running import CLONE, RunningShop, processes_only
from .callers import PRODUCT, Person, assertion, bearer, expired, forged

PAGE = CLONE / "docs" / "security.md"
TABLE = re.compile("(<!-- authorization matrix -->\n\n)(.*?)(\n<!-- end -->)", re.DOTALL)
CALLERS = (
    *("nobody", "user", "other user", "admin", "deleted user"),
    *("expired token", "forged token", "service"),
)
INNER_PAGES = "`GET /…/actuator/…`, all other pages"
Cell = str
Headers = dict[str, str]


@dataclass
class Everybody:
    shop: RunningShop
    user: Person
    other: Person
    admin: Customer
    deleted: Person
    bodies: dict[str, Callable[[Person], Any]] = field(default_factory=dict)

    @classmethod
    def gathered(cls, shop: RunningShop) -> "Everybody":
        everybody = cls(shop, Person.new(shop), Person.new(shop), shop.admin(), Person.new(shop))
        gone = everybody.deleted.customer
        assert gone.call("DELETE", f"/user-service/users/{gone.user_id}").ok
        # Everywhere, within the time that is promised for it.
        shop.until(lambda: gone.call("GET", gone.orders).status_code == 401, seconds=6)
        shop.until(
            lambda: gone.call("GET", "/catalog-service/catalogs").status_code == 401, seconds=6
        )
        return everybody

    def headers(self, caller: str, user: Person) -> list[Headers]:
        """Of each way in which `caller` may come to what belongs to `user`."""
        match caller:
            case "nobody" | "service":
                return [{}]
            case "user":
                return [bearer(user.token)]
            case "other user":
                return [bearer(self.other.token)]
            case "admin":
                return [bearer(self.admin.token)]
            case "deleted user":
                return [bearer(self.deleted.token)]
            case "expired token":
                return [bearer(expired(self.shop, user.token))]
            case _:
                return [bearer(token) for token in forged(self.shop, user.token).values()]


@dataclass(frozen=True)
class DescribedOperation:
    method: str
    path: str
    about: dict[str, Any]

    @property
    def name(self) -> str:
        return f"`{self.method} {self.path}`"

    @property
    def service(self) -> str:
        tag: str = self.about["tags"][0]
        return tag

    def address(self, user: Person) -> str:
        known = {
            "userId": user.user_id,
            "orderId": user.order_id,
            "productId": PRODUCT,
            "role": "admin",
        }
        return re.sub(r"{(\w+)}", lambda match: known[match[1]], self.path)

    def body(self, user: Person) -> Any:
        """The example, made new or the user's own where it has to be."""
        if "requestBody" not in self.about:
            return None
        (media_type,) = self.about["requestBody"]["content"].values()
        body = dict(media_type["example"])
        own = {
            "refreshToken": user.refresh_token,
            "password": PASSWORD,
            "email": user.email
            if self.path.endswith("/login")
            else f"{uuid.uuid4().hex}@x.example",
            "productId": PRODUCT if self.path.endswith("/orders") else f"NEW-{uuid.uuid4().hex}",
        }
        return {name: own.get(name, value) for name, value in body.items()}

    def status(self, everybody: Everybody, caller: str, user: Person, headers: Headers) -> int:
        shop, address = everybody.shop, self.address(user)
        gateway = shop.gateway
        if caller == "service":
            headers = assertion(shop, self.service)
            if self.service != "gateway":
                # Past the gateway, as a process of the shop does.
                gateway, address = (
                    shop.url_of(self.service),
                    address.removeprefix(f"/{self.service}"),
                )
        answer = requests.request(
            self.method,
            gateway + address,
            headers={"Accept": "application/json, text/html", **headers},
            json=self.body(user),
            allow_redirects=False,
            timeout=15,
        )
        return answer.status_code


def operations(shop: RunningShop) -> list[DescribedOperation]:
    document = requests.get(f"{shop.gateway}/openapi.json", timeout=10).json()
    return [
        DescribedOperation(method.upper(), path, about)
        for path, methods in document["paths"].items()
        for method, about in methods.items()
    ]


def row(everybody: Everybody, operation: DescribedOperation) -> list[Cell]:
    cells = []
    for caller in CALLERS:
        statuses = set()
        ways = len(everybody.headers(caller, everybody.user))
        for way in range(ways):
            # What changes something is asked of somebody new each time.
            user = everybody.user
            if caller == "deleted user":
                user = everybody.deleted
            elif operation.method != "GET" and "service" in operation.service:
                user = Person.new(everybody.shop)
            headers = everybody.headers(caller, user)[way]
            statuses.add(operation.status(everybody, caller, user, headers))
        cells.append(" ".join(map(str, sorted(statuses))))
    return cells


def inner_pages(everybody: Everybody) -> list[Cell]:
    """Of the processes' pages that are not public: what all of them have in common."""
    shop, cells = everybody.shop, []
    for caller in CALLERS:
        statuses = set()
        for service in ("", "/user-service", "/order-service", "/catalog-service"):
            links = everybody.admin.call("GET", f"{service}/actuator").json()["_links"].values()
            for link in links:
                path = service + link["href"]
                if not link["templated"] and not re.search("health|/info$", path):
                    for headers in everybody.headers(caller, everybody.user):
                        shown = {
                            **headers,
                            **(assertion(shop, "gateway") if caller == "service" else {}),
                        }
                        answer = requests.get(shop.gateway + path, headers=shown, timeout=15)
                        statuses.add(answer.status_code)
        cells.append(" ".join(map(str, sorted(statuses))))
    return cells


def table(rows: dict[str, list[Cell]]) -> str:
    head = f"| operation | {' | '.join(CALLERS)} |\n|---|{'---|' * len(CALLERS)}\n"
    return head + "".join(f"| {name} | {' | '.join(cells)} |\n" for name, cells in rows.items())


@processes_only
@pytest.mark.timeout(900)
def test_every_operation_answers_everybody_as_the_table_says(shop: RunningShop) -> None:
    everybody = Everybody.gathered(shop)
    rows = {operation.name: row(everybody, operation) for operation in operations(shop)}
    rows[INNER_PAGES] = inner_pages(everybody)

    made, page = table(rows), PAGE.read_text()
    if os.environ.get("FUSEBOX_WRITE_MATRIX"):
        page = TABLE.sub(lambda match: match[1] + made + match[3], page)
        PAGE.write_text(page)

    written = TABLE.search(page)
    assert written
    assert written[2].splitlines() == made.splitlines()


def test_who_may_call_is_what_the_description_says(shop: RunningShop) -> None:
    """By the table: nobody passes where a token is needed, and everybody where none is."""
    rows = dict(re.findall(r"^\| (`[A-Z]+ /[^|]*`) \| (\d+)", PAGE.read_text(), re.MULTILINE))
    for operation in operations(shop):
        needs_token = operation.about["security"] and {} not in operation.about["security"]
        assert (rows[operation.name] == "401") == bool(needs_token), operation.name
