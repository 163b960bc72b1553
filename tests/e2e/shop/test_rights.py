"""What belongs to whom, and how soon a right that was taken away is of no use any more."""

import uuid
from typing import Any

import pytest
import requests

from fusebox.runtime.shop_client import PASSWORD, Customer

REVOKED_SECONDS = 5


def told(answer: requests.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


def admin_of_a_day(shop: Any) -> Customer:
    """A customer to whom the admin has given the role."""
    email = f"{uuid.uuid4().hex}@fusebox.example"
    user_id = shop.customer(email).user_id
    given = shop.admin().call("PUT", f"/user-service/users/{user_id}/roles/admin")
    assert given.status_code == 204, given.text
    made: Customer = shop.login(email, PASSWORD)
    return made


def test_what_is_somebody_elses_is_answered_as_what_there_is_not(shop: Any) -> None:
    ann, bob = shop.customer(), shop.customer()
    order_id = ann.place(wait=5).json()["orderId"]
    nobody, nothing = uuid.uuid4(), uuid.uuid4()
    body = {"productId": "CATALOG-0001", "qty": 1}
    key = {"Idempotency-Key": "the same for both"}

    def same(method: str, theirs: str, missing: str, code: str, **given: Any) -> None:
        answers = [bob.call(method, path, **given) for path in (theirs, missing)]
        assert [told(answer) for answer in answers] == 2 * [(404, code)]

    for theirs in (f"{ann.orders}/{order_id}", f"{bob.orders}/{order_id}"):
        same("GET", theirs, f"{bob.orders}/{nothing}", "order-unknown")
        missing = f"{bob.orders}/{nothing}/cancel"
        same("POST", f"{theirs}/cancel", missing, "order-unknown", headers=key)
    missing = f"/order-service/{nobody}/orders"
    same("GET", ann.orders, missing, "user-unknown")
    same("POST", ann.orders, missing, "user-unknown", json=body, headers=key)
    for method, part in (("GET", ""), ("DELETE", ""), ("GET", "/roles"), ("PUT", "/roles/admin")):
        path = "/user-service/users/{}" + part
        same(method, path.format(ann.user_id), path.format(nobody), "user-unknown")
    assert told(bob.call("GET", "/user-service/users")) == (403, "forbidden")
    assert ann.order(order_id).json()["status"] == "CONFIRMED"
    assert shop.admin().call("GET", f"{ann.orders}/{order_id}").status_code == 200


def test_a_role_that_is_taken_away_is_of_no_use_at_once(shop: Any) -> None:
    ann, eve = shop.customer(), admin_of_a_day(shop)
    order_id = ann.place(wait=5).json()["orderId"]
    product = "/catalog-service/catalogs/CATALOG-0002"
    price = requests.get(f"{shop.gateway}{product}", timeout=10).json()["unitPrice"]
    assert eve.call("PATCH", product, json={"unitPrice": price}).status_code == 200
    assert eve.call("GET", f"{ann.orders}/{order_id}").status_code == 200

    taken = shop.admin().call("DELETE", f"/user-service/users/{eve.user_id}/roles/admin")

    assert taken.status_code == 204
    assert told(eve.call("PATCH", product, json={"unitPrice": 1})) == (403, "forbidden")
    assert told(eve.call("GET", "/user-service/users")) == (403, "forbidden")
    assert eve.call("GET", f"{ann.orders}/{order_id}").status_code in (403, 404)
    assert eve.page().status_code == 200
    shop.until(
        lambda: eve.call("GET", "/order-service/actuator/env").status_code == 403, REVOKED_SECONDS
    )
    shop.until(
        lambda: told(eve.call("GET", f"{ann.orders}/{order_id}")) == (404, "order-unknown"),
        REVOKED_SECONDS,
    )


def test_a_deleted_account_opens_nothing_any_more_within_five_seconds(shop: Any) -> None:
    eve = admin_of_a_day(shop)
    assert eve.place(wait=5).status_code == 201

    assert eve.call("DELETE", f"/user-service/users/{eve.user_id}").status_code == 204

    product = "/catalog-service/catalogs/CATALOG-0002"
    assert eve.page().status_code == 401
    assert eve.call("PATCH", product, json={"addStock": 1}).status_code == 401
    shop.until(lambda: eve.place().status_code == 401, REVOKED_SECONDS)
    shop.until(lambda: eve.call("GET", "/actuator/env").status_code == 401, REVOKED_SECONDS)
    # Even what is open to everybody, for who shows a token that is none any more.
    shop.until(lambda: eve.call("GET", product).status_code == 401, REVOKED_SECONDS)


def test_the_last_admin_stays(shop: Any) -> None:
    admin = shop.admin()
    own = f"/user-service/users/{admin.user_id}"
    admins = [
        user["userId"]
        for user in admin.call("GET", "/user-service/users?limit=200").json()
        if "admin"
        in admin.call("GET", f"/user-service/users/{user['userId']}/roles").json()["roles"]
    ]
    for other in admins:
        if other != admin.user_id:
            admin.call("DELETE", f"/user-service/users/{other}/roles/admin")

    assert told(admin.call("DELETE", f"{own}/roles/admin")) == (409, "last-admin")
    assert told(admin.call("DELETE", own)) == (409, "last-admin")


@pytest.mark.parametrize("fault", ["kill", "pause"])
def test_with_user_service_away_nobody_is_an_admin_and_customers_go_on(
    shop: Any, fault: str
) -> None:
    ann, admin = shop.customer(), shop.admin()
    product = "/catalog-service/catalogs/CATALOG-0002"
    before = shop.stock("CATALOG-0002")
    shop.run(fault, "user-service")
    try:
        refused = [admin.call("PATCH", product, json={"addStock": 1}) for _ in range(6)]
        looked = admin.call("GET", ann.orders)
        placed = ann.place(wait=5)
    finally:
        shop.run("heal", "user-service")

    assert {told(answer) for answer in refused} == {(503, "rights-unchecked")}
    assert all(answer.headers["Retry-After"] for answer in refused)
    assert told(looked) == (503, "rights-unchecked")
    assert (placed.status_code, placed.json()["status"]) == (201, "CONFIRMED")
    shop.until(lambda: admin.call("PATCH", product, json={"addStock": 1}).status_code == 200, 30)
    assert shop.stock("CATALOG-0002") == before + 1
    shop.until(lambda: admin.page().ok, 30)
