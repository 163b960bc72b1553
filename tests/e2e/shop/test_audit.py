"""The audit trail of the whole shop, as an admin reads it through the gateway."""

import uuid
from typing import Any

import psycopg
import pytest
import requests

from fusebox.runtime.shop_client import PASSWORD, Customer

from ...running import processes_only

PRODUCT = "/catalog-service/catalogs/CATALOG-0003"


def trail(shop: Any, **filters: Any) -> list[dict[str, Any]]:
    """The newest entries first."""
    answer = shop.admin().call("GET", "/user-service/audit", params={"limit": 200, **filters})
    assert answer.status_code == 200, answer.text
    return list(answer.json())


def entry_of(shop: Any, answer: requests.Response, **filters: Any) -> dict[str, Any]:
    """What is told of the request with this answer; it may take an event a moment."""
    filters["traceId"] = answer.headers["X-Trace-Id"]
    shop.until(lambda: trail(shop, **filters), 30)
    [entry] = trail(shop, **filters)
    return entry


def refused_to(shop: Any, bob: Customer, answer: requests.Response, service: str) -> dict[str, Any]:
    entry = entry_of(shop, answer, service=service)
    assert (entry["outcome"], entry["actor"]) == ("refused", bob.user_id)
    assert entry["source"] == "127.0.0.1"
    return entry


def test_what_is_done_and_refused_in_all_services_is_told(shop: Any) -> None:
    ann, bob, admin = shop.customer(), shop.customer(), shop.admin()

    price = {"unitPrice": 1200}
    changed = admin.call("PATCH", PRODUCT, json=price)
    tried = bob.call("PATCH", PRODUCT, json=price)
    looked = bob.call("GET", ann.orders)
    given = admin.call("PUT", f"/user-service/users/{bob.user_id}/roles/admin")
    taken = admin.call("DELETE", f"/user-service/users/{bob.user_id}/roles/admin")
    left = ann.call("DELETE", f"/user-service/users/{ann.user_id}")

    statuses = [one.status_code for one in (changed, tried, looked, given, taken, left)]
    assert statuses == [200, 403, 404, 204, 204, 204]
    entry = entry_of(shop, changed, service="catalog-service")
    assert (entry["action"], entry["outcome"]) == ("product.change", "done")
    assert (entry["target"], entry["detail"]) == ("/catalogs/CATALOG-0003", price)
    assert (entry["actor"], entry["source"]) == (admin.user_id, "127.0.0.1")
    assert refused_to(shop, bob, tried, "catalog-service")["detail"]["code"] == "forbidden"
    assert refused_to(shop, bob, looked, "order-service")["detail"]["code"] == "user-unknown"
    assert entry_of(shop, given)["action"] == "role.give"
    assert entry_of(shop, taken)["action"] == "role.take"
    assert entry_of(shop, left)["action"] == "account.delete"


def test_logins_are_told_those_that_fail_as_well(shop: Any) -> None:
    email = f"{uuid.uuid4().hex}@fusebox.example"
    ann = shop.customer(email)
    url = f"{shop.gateway}/user-service/login"

    done = requests.post(url, json={"email": email, "password": PASSWORD}, timeout=10)
    refused = requests.post(url, json={"email": email, "password": "a wrong one"}, timeout=10)

    account = f"/users/{ann.user_id}"
    entry = entry_of(shop, done)
    assert (entry["action"], entry["outcome"], entry["target"]) == ("login", "done", account)
    entry = entry_of(shop, refused)
    assert (entry["action"], entry["outcome"], entry["target"]) == ("login", "refused", account)
    assert (entry["actor"], entry["times"]) == (None, 1)
    assert email not in str(trail(shop))


@pytest.mark.parametrize("part", ["user-service", "kafka"])
def test_what_happens_while_a_part_is_away_is_told_when_it_is_back(shop: Any, part: str) -> None:
    ann, bob, admin = shop.customer(), shop.customer(), shop.admin()
    shop.kill(part)
    try:
        looked = bob.call("GET", ann.orders)
        assert looked.status_code == 404
        changed = admin.call("PATCH", PRODUCT, json={"unitPrice": 1200})
    finally:
        shop.start(part)
    shop.until(lambda: admin.page().ok, 30)

    refused_to(shop, bob, looked, "order-service")
    if part == "kafka":
        assert entry_of(shop, changed)["action"] == "product.change"
    else:  # nobody was there to say that the admin still is one
        assert changed.status_code == 503


def test_what_the_gateway_refuses_is_told_as_well(shop: Any) -> None:
    url, forged = f"{shop.gateway}/order-service/x", {"Authorization": "Bearer a.b.c"}
    bob, admin = shop.customer(), shop.admin()
    log_level = "/catalog-service/actuator/loggers/catalog_service"

    stranger = requests.get(url, headers=forged, timeout=10)
    looked = bob.call("GET", "/order-service/actuator/env")
    changed = admin.call("POST", log_level, json={"configuredLevel": "INFO"})

    assert [one.status_code for one in (stranger, looked)] == [401, 403]
    assert changed.ok, changed.text
    entry = entry_of(shop, stranger, service="gateway")
    assert (entry["outcome"], entry["target"]) == ("refused", "/order-service/x")
    assert refused_to(shop, bob, looked, "gateway")["detail"]["code"] == "forbidden"
    entry = entry_of(shop, changed, service="gateway")
    assert (entry["action"], entry["actor"]) == ("actuator", admin.user_id)
    assert (entry["outcome"], entry["target"]) == ("done", log_level)


def test_only_an_admin_reads_the_trail(shop: Any) -> None:
    assert shop.customer().call("GET", "/user-service/audit").status_code == 403
    assert requests.get(f"{shop.gateway}/user-service/audit", timeout=10).status_code == 401


@processes_only
def test_not_even_the_service_itself_can_change_what_is_written(shop: Any) -> None:
    shop.admin()
    host, port = shop.address("postgres")
    password = (shop.stack.secrets / "user-service-db-password").read_text().strip()
    address = {"host": host, "port": port, "user": "user_service", "dbname": "user_service"}

    for statement in (
        b"DELETE FROM audit_entries",
        b"UPDATE audit_entries SET source = NULL",
        b"TRUNCATE audit_entries",
    ):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            psycopg.connect(**address, password=password) as connection,
        ):
            connection.execute(statement)
