"""The running shop keeps what its description promises, whatever it is asked.

schemathesis asks for every operation with data that fit the description and with data that do not.
FUSEBOX_SCHEMATHESIS_EXAMPLES=400 asks 10,000 requests and more.
"""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fusebox.runtime.shop_client import PASSWORD, Customer

from ...running import RunningShop

HERE = Path(__file__).parent
EXAMPLES = os.environ.get("FUSEBOX_SCHEMATHESIS_EXAMPLES", "12")
# Of an answer: longer is a hang.
LONGEST_SECONDS = 5
PRODUCTS = ("CATALOG-0001", "CATALOG-0002", "CATALOG-0003")
# Who changes an account, or deletes it, does so to one of these.
EXPENDABLE = 12
REFUSED = [400, 401, 403, 404, 405, 406, 409, 413, 414, 415, 422, 428, 429, 431]
# A list of texts may be longer than an address.
ACCEPTED = ["2xx", 401, 403, 404, 409, 414, 429]


@dataclass(frozen=True)
class Stage:
    """An admin to ask as, what there is to ask for, and what is to stay as it is."""

    tester: Customer
    users: list[str]
    orders: list[str]
    substitutes: dict[str, dict[str, str]]

    def configuration(self) -> str:
        """In TOML, of which JSON's texts and lists are a part."""
        return f"""
            hooks = {json.dumps(str(HERE / "generation_hooks.py"))}
            [auth.openapi.bearer]
            bearer = {json.dumps(self.tester.token)}
            [checks.negative_data_rejection]
            expected-statuses = {json.dumps(REFUSED)}
            [checks.positive_data_acceptance]
            expected-statuses = {json.dumps(ACCEPTED)}
            [dictionaries.users]
            values = {json.dumps([*[self.tester.user_id] * len(self.users), *self.users])}
            [dictionaries.orders]
            values = {json.dumps(self.orders)}
            [dictionaries.products]
            values = {json.dumps(PRODUCTS)}
            [parameters]
            "path.userId" = {{ dictionary = "users", probability = 0.7 }}
            "path.orderId" = {{ dictionary = "orders", probability = 0.7 }}
            "path.productId" = {{ dictionary = "products", probability = 0.7 }}
            # Who is no admin may read there, and does not learn what else could be done.
            [[operations]]
            include-path-regex = "/actuator/"
            checks.unsupported_method.enabled = false
        """


@pytest.fixture
def stage(shop: RunningShop) -> Iterator[Stage]:
    admin = shop.admin()
    with settings(shop):
        email = f"{uuid.uuid4().hex}@fusebox.example"
        person = shop.customer(email)
        given = admin.call("PUT", f"/user-service/users/{person.user_id}/roles/admin")
        assert given.ok, given.text
        # The role is in its tokens from now on.
        tester = shop.login(email, PASSWORD)
        users = [shop.customer().user_id for _ in range(EXPENDABLE)]
        orders = [str(tester.place_order(PRODUCTS[0]).order_id) for _ in range(5)]
        yield Stage(
            tester,
            users,
            orders,
            {
                "userId": {admin.user_id: users[0], tester.user_id: users[1]},
                "productId": {product: double_of(admin, product) for product in PRODUCTS},
            },
        )
        assert shop.admin().user_id == admin.user_id, "the tests' own admin was touched"
        shop.add_stock()


@contextmanager
def settings(shop: RunningShop) -> Iterator[None]:
    """Nobody asks so much at home, nor for so long with one token."""
    keys = {
        ("gateway", "fusebox.gateway.rate-limits.login.burst-capacity"): "1000000",
        ("gateway", "fusebox.gateway.rate-limits.client.burst-capacity"): "1000000",
        ("user-service", "fusebox.tokens.lifetime-seconds"): "7200",
    }
    for (service, key), value in keys.items():
        shop.run("set", "--service", service, key, value)
    yield
    for service, key in keys:
        shop.run("set", "--service", service, key)


def double_of(admin: Customer, product_id: str) -> str:
    """A product that may be changed in the place of `product_id`."""
    double = f"DOUBLE-{uuid.uuid4().hex}"
    new = {"productId": double, "productName": product_id, "unitPrice": 1, "stock": 1000}
    created = admin.call("POST", "/catalog-service/catalogs", json=new)
    assert created.ok, created.text
    return double


@pytest.mark.timeout(3600)
def test_no_request_finds_a_difference_between_the_shop_and_its_description(
    shop: RunningShop, stage: Stage, tmp_path: Path
) -> None:
    configuration, report = tmp_path / "schemathesis.toml", tmp_path / "report.ndjson"
    configuration.write_text(stage.configuration())
    completed = subprocess.run(
        [
            *(Path(sys.executable).parent / "schemathesis", "--config-file", configuration),
            *("run", f"{shop.gateway}/openapi.json", "--no-color"),
            # One thread: before 3.11.8 Python's parser is not safe with more (CPython's gh-106905).
            *("--max-examples", EXAMPLES, "--workers", "1", "--continue-on-failure"),
            *("--max-response-time", str(LONGEST_SECONDS), "--request-timeout", "15"),
            *("--generation-database", "none", "--report-ndjson-path", report),
        ],
        cwd=tmp_path,
        env={**os.environ, "FUSEBOX_SUBSTITUTES": json.dumps(stage.substitutes)},
        capture_output=True,
        text=True,
    )

    assert completed.returncode == 0, completed.stdout[-20_000:] + completed.stderr[-2_000:]
    answers = list(answers_in(report))
    slowest = max(answer["elapsed"] for answer in answers)
    faults = [answer for answer in answers if answer["status_code"] == 500]
    print(
        f"{len(answers)} requests, {len(faults)} answers of 500, the slowest took {slowest:.1f} s"
    )
    assert len(answers) > 1000
    assert faults == []
    assert slowest < LONGEST_SECONDS


def answers_in(report: Path) -> Iterator[dict[str, Any]]:
    for line in report.read_text().splitlines():
        finished = json.loads(line).get("ScenarioFinished")
        if finished:
            for interaction in finished["recorder"].get("interactions", {}).values():
                if interaction["response"]:
                    yield interaction["response"]
