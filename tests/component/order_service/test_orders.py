"""Orders over HTTP, decided by events, on a real database."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.orm import sessionmaker

from chassis.core.errors import Conflict
from chassis.observability import span_tags
from order_service.idempotency import IdempotencyKeys
from order_service.models import Base


def placed(user: Any, **body: Any) -> Any:
    answer = user.place(**(body or {"productId": "A", "qty": 1}))
    assert answer.status_code == 201, answer.text
    return answer.get_json()


def test_the_migrations_make_what_the_models_describe(user: Any) -> None:
    with user.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_an_order_is_pending_and_its_event_recorded_in_one_transaction(user: Any) -> None:
    order = placed(user, lines=[{"productId": "A", "qty": 2}, {"productId": "B", "qty": 1}])

    assert order["status"] == "PENDING"
    assert order["totalPrice"] == 207
    assert "degraded" not in order
    assert user.recorded(order["orderId"]) == ["order.placed"]


def test_lines_for_the_same_product_are_added_up(user: Any) -> None:
    order = placed(user, lines=[{"productId": "B", "qty": 1}, {"productId": "B", "qty": 2}])
    refused = user.place(lines=[{"productId": "B", "qty": 2}, {"productId": "B", "qty": 2}])

    assert order["lines"] == [{"productId": "B", "qty": 3, "unitPrice": 7}]
    assert (refused.status_code, refused.get_json()["products"]) == (409, ["B"])


def test_reserved_stock_confirms_and_rejected_stock_rejects(user: Any) -> None:
    good, bad = placed(user)["orderId"], placed(user)["orderId"]

    user.receive("stock.reserved", orderId=good)
    user.receive("stock.rejected", orderId=bad, reason="out-of-stock")

    assert user.status(good) == "CONFIRMED"
    assert user.call("GET", f"orders/{bad}").get_json()["reason"] == "out-of-stock"


def test_an_order_is_decided_once(user: Any) -> None:
    order_id = placed(user)["orderId"]

    user.receive("stock.rejected", orderId=order_id, reason="out-of-stock")
    user.receive("stock.reserved", orderId=order_id)

    assert user.status(order_id) == "REJECTED"


def test_a_batch_of_events_ends_as_they_would_one_after_another(user: Any) -> None:
    one, other, cancelled, unknown = (*(placed(user)["orderId"] for _ in range(3)), str(uuid4()))
    user.call("POST", f"orders/{cancelled}/cancel")
    product = {"productId": f"B-{uuid4()}", "unitPrice": 1}

    user.receive_together(
        ("stock.reserved", {"orderId": one}),
        ("stock.rejected", {"orderId": other, "reason": "product-unknown"}),
        ("stock.rejected", {"orderId": one, "reason": "out-of-stock"}),
        ("stock.reserved", {"orderId": other}),
        ("stock.reserved", {"orderId": cancelled}),
        ("stock.reserved", {"orderId": unknown}),
        ("product.changed", {**product, "stock": 2, "version": 2}),
        ("product.changed", {**product, "stock": 3, "version": 3}),
        ("product.changed", {**product, "stock": 1, "version": 1}),
        ("user.deleted", {"userId": str(uuid4())}),
    )

    assert [user.status(id) for id in (one, other, cancelled)] == [
        *("CONFIRMED", "REJECTED", "CANCELLED")
    ]
    rejected = user.call("GET", f"orders/{other}").get_json()
    assert rejected["reason"] == "product-unknown"
    assert {UUID(one), UUID(other), UUID(cancelled)} <= user.decided
    assert [(user.moved[UUID(id)].to, user.moved[UUID(id)].reason) for id in (one, other)] == [
        ("CONFIRMED", None),
        ("REJECTED", "product-unknown"),
    ]
    assert UUID(cancelled) not in user.moved
    user.catalog.status = 503
    assert user.place(productId=product["productId"], qty=4).get_json()["code"] == "out-of-stock"
    assert user.place(productId=product["productId"], qty=3).status_code == 201


def test_a_cancelled_order_stays_cancelled_and_its_event_is_recorded_once(user: Any) -> None:
    order_id = placed(user)["orderId"]

    first = user.call("POST", f"orders/{order_id}/cancel")
    second = user.call("POST", f"orders/{order_id}/cancel")
    user.receive("stock.reserved", orderId=order_id)

    assert (first.status_code, first.get_json()["status"]) == (202, "CANCELLED")
    assert (second.status_code, second.get_json()["code"]) == (409, "too-late")
    assert user.status(order_id) == "CANCELLED"
    assert user.recorded(order_id) == ["order.placed", "order.cancelled"]


def test_a_rejected_order_cannot_be_cancelled(user: Any) -> None:
    order_id = placed(user)["orderId"]
    user.receive("stock.rejected", orderId=order_id, reason="out-of-stock")

    assert user.call("POST", f"orders/{order_id}/cancel").status_code == 409


def test_with_catalog_away_the_order_is_checked_by_what_was_last_known(user: Any) -> None:
    product_id = f"H-{uuid4()}"
    changed = {"productId": product_id, "unitPrice": 9, "stock": 4}
    user.receive("product.changed", **changed, version=2)
    user.receive("product.changed", **{**changed, "stock": 99}, version=1)
    user.catalog.status = 503

    order = placed(user, productId=product_id, qty=4)
    short = user.place(productId=product_id, qty=5)
    unknown = user.place(productId="NEVER-SEEN", qty=1)

    assert (order["degraded"], order["totalPrice"]) == (["catalog-service"], 36)
    assert (short.status_code, short.get_json()["code"]) == (409, "out-of-stock")
    assert (unknown.status_code, unknown.headers["Retry-After"]) == (503, "1")


def test_the_fifth_failure_opens_the_breaker(user: Any) -> None:
    user.catalog.status = 500
    breaker = user.process.breakers.of("catalog-service")

    for _ in range(5):
        assert breaker.state == "CLOSED"
        user.place(productId="A", qty=1)

    assert breaker.state == "OPEN"


@pytest.mark.parametrize("status", [400, 401, 404, 414, 422])
def test_a_catalog_service_that_refuses_the_question_is_not_taken_for_one_that_is_away(
    user: Any, status: int
) -> None:
    user.receive("product.changed", productId="A", unitPrice=1, stock=9, version=2)
    user.catalog.status, user.catalog.offers = status, []

    answer = user.place(productId="A", qty=1)

    assert (answer.status_code, answer.json["code"]) == (500, "internal-error")
    assert str(status) in answer.json["detail"]


@pytest.mark.parametrize(
    ("prices", "status"),
    [((1, 100), 409), ((100, 1), 409), ((None, 1), 409), ((100, 100), 201), ((None, 100), 201)],
)
def test_each_price_that_is_given_for_a_product_is_compared(
    user: Any, prices: tuple[int | None, ...], status: int
) -> None:
    lines = [{"productId": "A", "qty": 1, "unitPrice": price} for price in prices]

    answer = user.place(lines=lines)

    assert answer.status_code == status
    assert answer.json.get("code") == ("price-changed" if status == 409 else None)


def test_lines_that_together_ask_for_too_much_are_refused(user: Any) -> None:
    answer = user.place(lines=[{"productId": "A", "qty": 600_000}] * 2)

    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, "lines")
    assert "1000000 altogether of A" in answer.json["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"product_id": "A", "qty": 1},
        {"productId": "A", "qty": 1, "unit_price": 100},
        {"lines": [{"product_id": "A", "qty": 1}]},
    ],
)
def test_a_field_in_another_spelling_is_refused_like_any_unknown_one(user: Any, body: Any) -> None:
    answer = user.place(**body)

    assert answer.status_code == 422
    assert any(
        error["field"].endswith(("product_id", "unit_price")) for error in answer.json["errors"]
    )


def test_orders_that_break_catalog_service_by_their_input_do_not_switch_it_off(user: Any) -> None:
    user.catalog.breaks_on = "BAD"

    for number in range(30):
        user.place(productId=f"BAD-{number}", qty=1)
        assert "degraded" not in placed(user)
    for number in range(30):
        user.place(productId=f"BAD-{number}", qty=1)

    assert user.process.breakers.of("catalog-service").state == "CLOSED"
    assert "degraded" not in placed(user)


def test_a_key_is_one_order_whatever_happens_in_between(user: Any) -> None:
    body = {"productId": "A", "qty": 1}
    first = user.place("k", **body)
    user.receive("stock.reserved", orderId=first.get_json()["orderId"])
    again = user.place("k", **body)

    assert again.data == first.data
    assert again.headers["Location"] == first.headers["Location"]
    assert user.place("k", productId="A", qty=2).get_json()["code"] == "idempotency-key-reused"
    assert len(user.call("GET", "orders").get_json()) == 1


def test_a_refused_request_releases_its_key(user: Any) -> None:
    user.catalog.offers = []
    assert user.place("k", productId="A", qty=1).status_code == 404
    user.catalog.recover()

    assert user.place("k", productId="A", qty=1).status_code == 201


def test_a_key_under_way_is_refused(user: Any) -> None:
    sessions = sessionmaker(user.engine, expire_on_commit=False)
    keys, user_id = IdempotencyKeys(sessions, user.process.tracer), UUID(user.user_id)

    with (
        keys.claimed(user_id, "k", ["same"]),
        pytest.raises(Conflict, match="under way"),
        keys.claimed(user_id, "k", ["same"]),
    ):
        pass


def test_a_closed_account_orders_nothing(user: Any) -> None:
    user.receive("user.deleted", userId=user.user_id)

    assert user.place(productId="A", qty=1).status_code == 401
    assert user.call("GET", "orders").status_code == 401


def test_whether_somebody_else_has_an_order_is_not_told(user: Any, issuer: Any) -> None:
    order_id = placed(user)["orderId"]
    own, other = user.user_id, str(uuid4())

    def answers(method: str, path: str, **given: Any) -> set[tuple[int, str, str]]:
        """Of the same call on an order of another, on one under a wrong name, and on none."""
        places = [(own, order_id), (other, order_id), (other, uuid4()), (uuid4(), uuid4())]
        headers = issuer.headers(other) | given.pop("headers", {})
        told = [
            user.client.open(f"/{owner}/orders/{id}{path}", method=method, headers=headers, **given)
            for owner, id in places
        ]
        return {(one.status_code, one.json["code"], one.json["detail"]) for one in told}

    hidden = {(404, "order-unknown", "There is no such order.")}
    assert answers("GET", "") == hidden
    assert answers("POST", "/cancel") == hidden
    assert answers("POST", "/cancel", headers={"Idempotency-Key": "k"}) == hidden
    assert user.status(order_id) == "PENDING"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_whether_somebody_else_is_a_user_is_not_told(user: Any, issuer: Any, method: str) -> None:
    placed(user)
    headers = issuer.headers(str(uuid4())) | {"Idempotency-Key": "k"}

    for owner in (user.user_id, uuid4()):
        answer = user.client.open(
            f"/{owner}/orders", method=method, headers=headers, json={"productId": "A", "qty": 1}
        )
        assert (answer.status_code, answer.json["code"]) == (404, "user-unknown")
        assert answer.json["detail"] == f"There is no user {owner}."


def test_an_admin_sees_the_orders_of_everybody(user: Any, issuer: Any) -> None:
    order_id = placed(user)["orderId"]
    path, admin = f"/{user.user_id}/orders", issuer.headers(str(uuid4()), "admin")

    assert user.client.get(path, headers=admin).json[0]["orderId"] == order_id
    assert user.client.get(f"{path}/{order_id}", headers=admin).status_code == 200
    assert user.client.get(path).status_code == 401
    asked = {authorization for _, authorization in user.users.asked}
    assert asked == {admin["Authorization"]}


def test_an_admin_who_is_none_any_more_is_refused_at_once(user: Any, issuer: Any) -> None:
    path = f"/{user.user_id}/orders/{placed(user)['orderId']}"
    user.users.roles = ["user"]

    answer = user.client.get(path, headers=issuer.headers(str(uuid4()), "admin"))

    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_nobody_is_an_admin_while_user_service_is_away(user: Any, issuer: Any) -> None:
    path = f"/{user.user_id}/orders/{placed(user)['orderId']}"
    user.users.status = 503

    answers = [
        user.client.get(path, headers=issuer.headers(str(uuid4()), "admin")) for _ in range(7)
    ]

    assert {(one.status_code, one.json["code"]) for one in answers} == {(503, "rights-unchecked")}
    assert all(answer.headers["Retry-After"] for answer in answers)
    assert user.process.breakers.of("user-service").state == "OPEN"
    assert len(user.users.asked) == 5
    assert user.client.get(path, headers=issuer.headers(user.user_id)).status_code == 200


def test_an_admin_who_looks_at_a_closed_account_learns_that_it_is_closed(
    user: Any, issuer: Any
) -> None:
    order_id = placed(user)["orderId"]
    user.receive("user.deleted", userId=user.user_id)
    admin = issuer.headers(str(uuid4()), "admin")
    paths = [f"/{user.user_id}/orders", f"/{user.user_id}/orders/{order_id}"]

    seen = [user.client.get(path, headers=admin) for path in paths]
    own = [user.client.get(path, headers=issuer.headers(user.user_id, "admin")) for path in paths]

    assert {(answer.status_code, answer.json["code"]) for answer in seen} == {
        (404, "account-closed")
    }
    assert {answer.status_code for answer in own} == {401}


def test_an_admin_whose_account_was_closed_sees_nobodys_orders(user: Any, issuer: Any) -> None:
    customer, order_id = user.user_id, placed(user)["orderId"]
    user.users.status = 401  # what user-service says to the token of a deleted user
    admin = issuer.headers(str(uuid4()), "admin")

    assert user.client.get(f"/{customer}/orders", headers=admin).status_code == 401
    assert user.client.get(f"/{customer}/orders/{order_id}", headers=admin).status_code == 401
    nobody = issuer.headers("the admin", "admin")
    assert user.client.get(f"/{customer}/orders", headers=nobody).status_code == 401


@pytest.mark.parametrize("path", ["orders?limit=0", "orders?limit=x", "orders?cursor=%21"])
def test_a_bad_page_is_refused_by_field(user: Any, path: str) -> None:
    answer = user.call("GET", path)

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] in ("limit", "cursor")


@pytest.mark.parametrize(
    "body",
    [
        {"productId": "A\x00", "qty": 1},
        {"lines": [{"productId": "A", "qty": 1}, {"productId": "\x00", "qty": 1}]},
    ],
)
def test_a_product_id_with_nul_is_the_clients_error_and_asks_nobody(user: Any, body: Any) -> None:
    answer = user.place(**body)

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"].endswith("productId")


@pytest.mark.parametrize("cursor", ["bm9ib2R5", "AA==", "%00", "é"])
def test_a_cursor_that_names_no_order_is_refused(user: Any, cursor: str) -> None:
    answer = user.call("GET", f"orders?cursor={cursor}")

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["field"] == "cursor"


def test_json_that_can_be_read_in_two_ways_orders_nothing(user: Any) -> None:
    bodies = (
        '{"productId": "A", "qty": 1, "qty": 2}',
        '{"lines": [{"productId": "A", "qty": 1, "productId": "B"}]}',
        '{"productId": "A", "qty": 1, "unitPrice": NaN}',
        '{"productId": "A", "qty": ' + "9" * 5_000 + "}",
    )
    for body in bodies:
        answer = user.call("POST", "orders", data=body, content_type="application/json")
        assert (answer.status_code, answer.json["code"]) == (400, "malformed-request"), body

    assert user.call("GET", "orders").json == []


def test_an_order_leaves_a_line_where_it_is_placed_and_one_where_it_is_decided(
    user: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "order_service")

    order_id = placed(user)["orderId"]
    user.receive("stock.rejected", orderId=order_id, reason="out-of-stock")

    lines = [record.getMessage() for record in caplog.records if order_id in record.getMessage()]
    assert lines == [
        f"order {order_id} placed, total 100",
        f"order {order_id} decided, REJECTED: out-of-stock",
    ]


def test_an_order_that_its_key_has_placed_before_leaves_no_second_line(
    user: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "order_service")
    key = str(uuid4())

    for _ in range(2):
        assert user.place(key, productId="A", qty=1).status_code == 201

    lines = [record for record in caplog.records if "placed" in record.getMessage()]
    assert len(lines) == 1


def test_the_span_of_an_order_says_which_and_how_it_stands(user: Any) -> None:
    placed_answer = user.place(productId="A", qty=1)
    order_id = placed_answer.json["orderId"]
    user.receive("stock.reserved", orderId=order_id)
    shown = user.call("GET", f"orders/{order_id}")
    cancelled = user.call("POST", f"orders/{order_id}/cancel")

    tagged = [
        span_tags.decode(answer.headers[span_tags.HEADER])
        for answer in (placed_answer, shown, cancelled)
    ]
    assert [tags["order.id"] for tags in tagged] == [order_id] * 3
    assert [tags["order.status"] for tags in tagged] == ["PENDING", "CONFIRMED", "CANCELLED"]
    assert tagged[0]["http.route"] == "/{user_id}/orders"


def test_an_order_that_is_not_traced_says_nothing(user: Any) -> None:
    answer = user.call("POST", "orders", json={"productId": "A", "qty": 1}, headers={"b3": "0"})

    assert answer.status_code == 201
    assert span_tags.HEADER not in answer.headers
