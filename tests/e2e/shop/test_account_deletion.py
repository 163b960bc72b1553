"""An account is deleted: at once for its user, by and by in the stores, and no more than that."""

import json
import threading
import uuid
from typing import Any
from uuid import UUID

import psycopg
import requests

from fusebox.runtime.shop_client import PASSWORD

from ...running import processes_only

NOBODY = UUID(int=0)


def rows(shop: Any, service: str, query: str, *given: Any) -> list[tuple[Any, ...]]:
    """What the service's own role is answered by its database."""
    host, port = shop.address("postgres")
    password = (shop.stack.secrets / f"{service}-db-password").read_text().strip()
    role = service.replace("-", "_")
    with psycopg.connect(
        host=host, port=port, user=role, password=password, dbname=role
    ) as connection:
        return connection.execute(query.encode(), given).fetchall()


def new_email() -> str:
    return f"{uuid.uuid4().hex}@fusebox.example"


def sessions_post(shop: Any, path: str, **body: str) -> requests.Response:
    return requests.post(f"{shop.gateway}/user-service/{path}", json=body, timeout=10)


def test_a_deleted_account_ends_all_its_sessions_and_its_email_is_free(shop: Any) -> None:
    email = new_email()
    ann = shop.customer(email)
    session = sessions_post(shop, "login", email=email, password=PASSWORD).json()

    assert ann.call("DELETE", f"/user-service/users/{ann.user_id}").status_code == 204

    refreshed = sessions_post(shop, "token", refreshToken=session["refreshToken"])
    assert (refreshed.status_code, refreshed.json()["code"]) == (401, "invalid-grant")
    login = sessions_post(shop, "login", email=email, password=PASSWORD)
    assert (login.status_code, login.json()["code"]) == (401, "login-failed")
    again = shop.customer(email.upper())
    assert again.user_id != ann.user_id
    assert again.page().json()["orders"] == []


@processes_only
def test_what_is_undecided_is_cancelled_and_the_rest_is_nobodys(shop: Any) -> None:
    ann = shop.customer()
    confirmed = ann.place(wait=5, key="first").json()["orderId"]
    stock = shop.stock("CATALOG-0001")
    shop.kill("catalog-service")
    try:
        pending = ann.place(key="second").json()["orderId"]
        assert ann.call("DELETE", f"/user-service/users/{ann.user_id}").status_code == 204
        query = "SELECT order_id::text, status, user_id FROM orders WHERE order_id::text = ANY(%s)"
        expected = {(confirmed, "CONFIRMED", NOBODY), (pending, "CANCELLED", NOBODY)}
        shop.until(
            lambda: set(rows(shop, "order-service", query, [confirmed, pending])) == expected
        )
    finally:
        shop.start("catalog-service")

    for table in ("orders", "idempotency_keys"):
        named = f"SELECT 1 FROM {table} WHERE user_id = %s"
        assert rows(shop, "order-service", named, ann.user_id) == []
    shop.until(lambda: shop.stock("CATALOG-0001") == stock, 30)
    assert shop.run("verify").returncode == 0


@processes_only
def test_purge_deletes_what_is_old_beside_customers_who_notice_nothing(shop: Any) -> None:
    email, ann = new_email(), shop.customer()
    gone, young, stays = shop.customer(email), shop.customer(), shop.customer()
    for user in (gone, young):
        assert user.place(wait=5).status_code == 201
        assert user.call("DELETE", f"/user-service/users/{user.user_id}").status_code == 204
    rows(
        shop,
        "user-service",
        "UPDATE users SET deleted_at = now() - interval '31 days' WHERE id = %s RETURNING 1",
        gone.user_id,
    )
    answers: list[requests.Response] = []
    over = threading.Event()

    def shopping() -> None:
        while not over.is_set():
            answers.extend((ann.place(), ann.page()))

    customer = threading.Thread(target=shopping)
    customer.start()
    try:
        document = json.loads(shop.run("purge", "--json").stdout)
    finally:
        over.set()
        customer.join()

    removed = {(row["service"], row["table"]): row["removed"] for row in document["tables"]}
    assert removed["user-service", "users"] == 1
    assert removed["order-service", "closed_accounts"] == 0
    left = "SELECT id::text FROM users WHERE id = ANY(%s::uuid[])"
    everybody = [gone.user_id, young.user_id, stays.user_id]
    assert {row[0] for row in rows(shop, "user-service", left, everybody)} == {
        young.user_id,
        stays.user_id,
    }
    assert stays.page().status_code == 200
    assert [answer.text for answer in answers if not answer.ok] == []
    assert "users" in shop.run("purge").stdout
    assert shop.run("verify").returncode == 0
