"""The catalog over HTTP, and stock taken and given back on a real database."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog_service.models import Base


def line(product_id: str, qty: int) -> dict[str, Any]:
    return {"productId": product_id, "qty": qty}


def types(rows: list[Any]) -> list[str]:
    return [row.type for row in rows]


def test_the_migrations_make_what_the_models_describe(catalog: Any) -> None:
    with catalog.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_new_catalog_has_three_products(catalog: Any) -> None:
    products = {
        product["productId"]: product for product in catalog.client.get("/catalogs").get_json()
    }

    assert [products[f"CATALOG-000{n}"]["unitPrice"] for n in (1, 2, 3)] == [1500, 900, 1200]
    assert products["CATALOG-0001"]["stock"] == 100
    assert catalog.client.get("/CATALOG-0002").get_json()["productName"] == "Tokyo"


def test_of_many_who_read_at_the_same_moment_each_gets_the_page_it_asked_for(catalog: Any) -> None:
    def page(limit: int) -> list[str]:
        answer = catalog.client.get(f"/catalogs?limit={limit}")
        return [product["productId"] for product in answer.get_json()]

    everything = page(200)
    limits = [1, 2, 3, 200] * 10

    with ThreadPoolExecutor(16) as pool:
        pages = list(pool.map(page, limits))

    assert pages == [everything[:limit] for limit in limits]


def test_products_may_be_cached_for_a_second_and_never_served_stale(catalog: Any) -> None:
    answers = [catalog.client.get(path) for path in ("/catalogs", "/catalogs/CATALOG-0001")]
    unknown = catalog.client.get("/catalogs/none")

    assert {answer.headers["Cache-Control"] for answer in answers} == {
        "max-age=1, stale-if-error=0"
    }
    assert "Cache-Control" not in unknown.headers


def test_products_asked_for_by_their_ids_are_answered_whole_or_not_at_all(catalog: Any) -> None:
    ids = [f"CATALOG-{number:04}" for number in range(1, 202)]

    most = catalog.client.get("/catalogs", query_string={"productId": ids[:200]})
    too_many = catalog.client.get("/catalogs", query_string={"productId": ids})

    assert (most.status_code, len(most.json)) == (200, 3)
    assert (too_many.status_code, too_many.json["errors"]) == (
        422,
        [{"field": "productId", "message": "at most 200 of them, not 201"}],
    )


def test_a_product_can_be_added_once_and_changed(catalog: Any) -> None:
    product_id = catalog.product(stock=3)
    again = {"productId": product_id, "productName": "P", "unitPrice": 1, "stock": 1}
    path = f"/catalogs/{product_id}"

    refused = catalog.client.post("/catalogs", json=again, headers=catalog.admin)
    changed = catalog.client.patch(
        path, json={"unitPrice": 7, "addStock": 2}, headers=catalog.admin
    )

    assert (refused.status_code, refused.get_json()["code"]) == (409, "product-exists")
    assert changed.status_code == 200
    assert (changed.get_json()["unitPrice"], changed.get_json()["stock"]) == (7, 5)
    assert types(catalog.outbox())[-2:] == ["product.changed", "audit.recorded"]


BAD = [
    {"productId": "x y", "productName": "P", "unitPrice": 1, "stock": 1},
    {"productId": "X", "productName": "", "unitPrice": 1, "stock": 1},
    {"productId": "X", "productName": "P", "unitPrice": -1, "stock": 1},
    {"productId": "X", "productName": "P", "unitPrice": 1, "stock": 1.5},
    {"productId": "X", "productName": "P", "unitPrice": 1},
    {"productId": "X", "productName": "P", "unitPrice": 1, "stock": 1, "colour": "red"},
]


@pytest.mark.parametrize("body", BAD)
def test_a_bad_product_is_refused(catalog: Any, body: dict[str, Any]) -> None:
    answer = catalog.client.post("/catalogs", json=body, headers=catalog.admin)

    assert answer.status_code == 422
    assert answer.get_json()["errors"]


def test_only_an_admin_may_change_anything(catalog: Any, issuer: Any) -> None:
    user = issuer.headers(str(uuid4()))

    assert catalog.client.patch("/catalogs/CATALOG-0001", json={}, headers=user).status_code == 403
    assert catalog.client.post("/catalogs", json={}).status_code == 401
    assert catalog.users.asked == []


@pytest.mark.parametrize(
    ("status", "roles", "refusal"),
    [
        (200, ["user"], (403, "forbidden")),
        (200, [], (403, "forbidden")),
        (401, [], (401, "unauthenticated")),
        (403, [], (503, "rights-unchecked")),
        (500, [], (503, "rights-unchecked")),
        (503, ["admin"], (503, "rights-unchecked")),
    ],
)
def test_an_admin_is_one_as_long_as_user_service_says_so(
    catalog: Any, status: int, roles: list[str], refusal: tuple[int, str]
) -> None:
    product_id = catalog.product(price=100)
    catalog.users.status, catalog.users.roles = status, roles
    new = {"productId": f"{product_id}-2", "productName": "P", "unitPrice": 1, "stock": 1}

    answers = [
        catalog.client.patch(
            f"/catalogs/{product_id}", json={"unitPrice": 1}, headers=catalog.admin
        ),
        catalog.client.post("/catalogs", json=new, headers=catalog.admin),
    ]

    assert {(one.status_code, one.get_json()["code"]) for one in answers} == {refusal}
    assert catalog.client.get(f"/catalogs/{product_id}").get_json()["unitPrice"] == 100
    assert catalog.client.get(f"/catalogs/{product_id}-2").status_code == 404


def test_what_an_admin_changes_is_told_in_the_same_transaction(catalog: Any) -> None:
    product_id = catalog.product(price=100)
    path = f"/catalogs/{product_id}"

    catalog.client.patch(path, json={"unitPrice": 7}, headers=catalog.admin)
    new = {"productId": product_id, "productName": "P", "unitPrice": 1, "stock": 1}
    exists = catalog.client.post("/catalogs", json=new, headers=catalog.admin)

    assert exists.status_code == 409
    created, changed = told(catalog)[-2:]
    assert [created["action"], changed["action"]] == ["product.create", "product.change"]
    assert [created["target"], changed["target"]] == [path, path]
    assert changed["detail"] == {"unitPrice": 7}
    assert created["detail"]["unitPrice"] == 100
    assert created["actor"] == changed["actor"]


def test_who_may_not_change_the_catalog_and_tries_is_told(catalog: Any, issuer: Any) -> None:
    user_id = str(uuid4())
    headers = issuer.headers(user_id) | {"X-Forwarded-For": "203.0.113.7"}

    catalog.client.patch("/catalogs/CATALOG-0001", json={}, headers=headers)
    catalog.users.roles = ["user"]
    catalog.client.patch("/catalogs/CATALOG-0002", json={}, headers=catalog.admin)
    catalog.client.post("/catalogs", json={}, headers={"Authorization": "Bearer forged"})
    catalog.client.post("/catalogs", json={})

    user, former_admin, stranger = told(catalog)[-3:]
    assert {one["action"] for one in (user, former_admin, stranger)} == {"access"}
    assert {one["outcome"] for one in (user, former_admin, stranger)} == {"refused"}
    assert (user["actor"], user["source"]) == (user_id, "203.0.113.7")
    assert user["detail"] == {"method": "PATCH", "code": "forbidden"}
    assert former_admin["target"] == "/catalogs/CATALOG-0002"
    assert (stranger["actor"], stranger["detail"]["code"]) == (None, "unauthenticated")


def told(catalog: Any) -> list[dict[str, Any]]:
    """What was recorded for the audit trail."""
    rows = [row for row in catalog.outbox() if row.type == "audit.recorded"]
    return [json.loads(row.payload) for row in rows]


def test_nobody_changes_the_catalog_while_user_service_is_away(catalog: Any) -> None:
    product_id = catalog.product()
    there, catalog.process.registry.instances = catalog.process.registry.instances, {}

    answers = [
        catalog.client.patch(f"/catalogs/{product_id}", json={"addStock": 1}, headers=catalog.admin)
        for _ in range(7)
    ]

    assert {answer.get_json()["code"] for answer in answers} == {"rights-unchecked"}
    assert catalog.process.breakers.of("user-service").state == "OPEN"
    assert catalog.stock(product_id) == 10
    catalog.process.registry.instances = there


def test_an_order_takes_all_its_stock_and_says_so(catalog: Any, event_of: Any) -> None:
    one, two = catalog.product(stock=5), catalog.product(stock=5)
    order_id = str(uuid4())

    rows = catalog.receive(
        event_of("order.placed", orderId=order_id, lines=[line(one, 2), line(two, 5)])
    )

    assert (catalog.stock(one), catalog.stock(two)) == (3, 0)
    assert types(rows) == ["stock.reserved", "product.changed", "product.changed"]
    assert rows[0].key == order_id
    assert json.loads(rows[0].payload)["orderId"] == order_id


def test_an_order_that_cannot_have_all_takes_nothing(catalog: Any, event_of: Any) -> None:
    one, two = catalog.product(stock=5), catalog.product(stock=1)

    rows = catalog.receive(
        event_of("order.placed", orderId=str(uuid4()), lines=[line(one, 2), line(two, 2)])
    )

    assert (catalog.stock(one), catalog.stock(two)) == (5, 1)
    assert types(rows) == ["stock.rejected"]
    assert json.loads(rows[0].payload) | {"reason": "out-of-stock", "products": [two]} == (
        json.loads(rows[0].payload)
    )


def test_an_order_for_a_product_that_has_gone_is_rejected(catalog: Any, event_of: Any) -> None:
    rows = catalog.receive(event_of("order.placed", orderId=str(uuid4()), lines=[line("GONE", 1)]))

    assert types(rows) == ["stock.rejected"]
    assert json.loads(rows[0].payload)["reason"] == "product-unknown"


def test_one_batch_never_takes_more_than_there_is(catalog: Any, event_of: Any) -> None:
    product_id = catalog.product(stock=1)

    rows = catalog.receive(
        *(
            event_of("order.placed", orderId=str(uuid4()), lines=[line(product_id, 1)])
            for _ in range(50)
        )
    )

    assert catalog.stock(product_id) == 0
    assert types(rows).count("stock.reserved") == 1
    assert types(rows).count("stock.rejected") == 49


@pytest.mark.parametrize("times", [1, 2, 10])
def test_the_same_event_again_changes_nothing(catalog: Any, event_of: Any, times: int) -> None:
    product_id = catalog.product(stock=5)
    event = event_of("order.placed", orderId=str(uuid4()), lines=[line(product_id, 2)])

    catalog.receive(*[event] * times)
    for _ in range(times):
        assert catalog.receive(event) == []

    assert catalog.stock(product_id) == 3


@pytest.mark.parametrize("order", list(permutations((0, 1, 2))))
@pytest.mark.parametrize("together", [True, False])
def test_a_cancelled_order_gives_its_stock_back_once_in_any_order_of_events(
    catalog: Any, event_of: Any, order: tuple[int, ...], together: bool
) -> None:
    product_id, order_id = catalog.product(stock=5), str(uuid4())
    events_by_number = [
        event_of("order.placed", orderId=order_id, lines=[line(product_id, 2)]),
        event_of("order.cancelled", orderId=order_id),
        event_of("order.cancelled", orderId=order_id),
    ]
    events = [events_by_number[n] for n in order]

    if together:
        catalog.receive(*events)
    else:
        for event in events:
            catalog.receive(event)

    assert catalog.stock(product_id) == 5


@pytest.mark.parametrize("path", ["/catalogs/A%00", "/catalogs/%00", "/%00", "/A%00/B"])
def test_an_address_with_nul_leads_nowhere(catalog: Any, path: str) -> None:
    answer = catalog.client.get(path)

    assert (answer.status_code, answer.get_json()["code"]) == (404, "not-found")


@pytest.mark.parametrize("query", ["productId=%00", "productId=A&productId=A%00", "%00=1"])
def test_a_query_with_nul_is_refused(catalog: Any, query: str) -> None:
    assert catalog.client.get(f"/catalogs?{query}").status_code == 422


@pytest.mark.parametrize("name", [r"a\u0000b", r"\ud800", r"\udfffa"])
def test_a_name_that_no_column_can_hold_is_refused(catalog: Any, name: str) -> None:
    body = f'{{"productId": "NUL-1", "productName": "{name}", "unitPrice": 1, "stock": 1}}'
    answer = catalog.client.post(
        "/catalogs", data=body, content_type="application/json", headers=catalog.admin
    )

    assert answer.status_code in (400, 422)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=8), st.text(max_size=8))
def test_no_text_in_an_address_or_a_query_is_an_error_of_ours(
    catalog: Any, name: str, value: str
) -> None:
    paths = (f"/catalogs/{quote(name)}", f"/{quote(name)}", f"/catalogs?productId={quote(value)}")
    answers = [catalog.client.get(path) for path in (*paths, f"/catalogs?cursor={quote(value)}")]

    assert [answer.status_code for answer in answers if answer.status_code >= 500] == []


def test_every_decision_is_in_the_log_with_its_order(
    catalog: Any, event_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "catalog_service")
    product_id, order_id, other = catalog.product(stock=1), str(uuid4()), str(uuid4())

    catalog.receive(
        event_of("order.placed", orderId=order_id, lines=[line(product_id, 1)]),
        event_of("order.placed", orderId=other, lines=[line(product_id, 1)]),
    )
    catalog.receive(event_of("order.cancelled", orderId=order_id))

    records = [record for record in caplog.records if "order " in record.getMessage()]
    assert [record.getMessage() for record in records] == [
        f"order {order_id}: stock reserved; order {other}: rejected: out-of-stock",
        f"order {order_id}: stock given back",
    ]
    both, one = (vars(record) for record in records)
    assert both["order.id"] == [order_id, other]
    assert (one["order.id"], one["event.action"]) == (order_id, "order.cancelled")
