"""A user leaves: what is undecided is cancelled, the rest is nobody's."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.orm import sessionmaker

from order_service import closed_accounts
from order_service.closed_accounts import ClosedAccounts
from order_service.models import NOBODY, OrderStatus

STATES = list(OrderStatus)
PLACED = """
    INSERT INTO orders (order_id, user_id, status, lines, total_price, created_at, version)
    VALUES (gen_random_uuid(), :user, 'PENDING', '[]', 0, now(), 1) RETURNING order_id
"""


def rows(user: Any, query: str, **given: Any) -> list[Any]:
    with user.engine.begin() as connection:
        return list(connection.execute(text(query), given))


def place(user: Any, status: str = "PENDING", **given: Any) -> str:
    """An order that has come so far; its id."""
    answer = user.place(productId="A", qty=1, **given)
    assert answer.status_code == 201, answer.text
    order_id = str(answer.json["orderId"])
    if status != "PENDING":
        rows(
            user,
            "UPDATE orders SET status = :status WHERE order_id = :id RETURNING 1",
            status=status,
            id=order_id,
        )
    return order_id


def stored(user: Any, *order_ids: str) -> list[tuple[str, UUID]]:
    query = "SELECT order_id, status, user_id FROM orders WHERE order_id = ANY(:ids)"
    known = {str(row.order_id): row for row in rows(user, query, ids=list(order_ids))}
    return [(known[order_id].status, known[order_id].user_id) for order_id in order_ids]


def leave(user: Any) -> None:
    user.receive("user.deleted", userId=user.user_id)
    user.settle()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(STATES), max_size=6))
def test_what_is_undecided_is_cancelled_and_all_is_detached(
    user: Any, states: list[OrderStatus]
) -> None:
    user.user_id = str(uuid4())
    order_ids = [place(user, status) for status in states]
    user.decided.clear()

    leave(user)
    user.settle()

    after = ["CANCELLED" if status == "PENDING" else status for status in states]
    assert stored(user, *order_ids) == [(status, NOBODY) for status in after]
    undecided = {id for id, status in zip(order_ids, states, strict=True) if status == "PENDING"}
    assert {str(order_id) for order_id in user.decided} == undecided
    for order_id in order_ids:
        cancelled = user.recorded(order_id).count("order.cancelled")
        assert cancelled == (1 if order_id in undecided else 0)


def test_the_orders_of_others_stay_as_they_are(user: Any) -> None:
    leaving = user.user_id
    user.user_id = other = str(uuid4())
    order_id = place(user)
    user.user_id = leaving
    place(user)

    leave(user)

    assert stored(user, order_id) == [("PENDING", UUID(other))]


def test_nothing_that_names_the_user_is_left_but_that_they_have_left(user: Any) -> None:
    place(user, key="k")
    leave(user)

    for table in ("orders", "idempotency_keys"):
        assert rows(user, f"SELECT 1 FROM {table} WHERE user_id = :id", id=user.user_id) == []
    assert (
        len(rows(user, "SELECT 1 FROM closed_accounts WHERE user_id = :id", id=user.user_id)) == 1
    )


def test_a_decision_that_comes_after_the_cancellation_changes_nothing(user: Any) -> None:
    order_id = place(user)
    leave(user)

    user.receive("stock.reserved", orderId=order_id)

    assert stored(user, order_id) == [("CANCELLED", NOBODY)]


def test_an_order_that_was_on_its_way_is_met_by_the_second_pass(user: Any) -> None:
    with user.engine.begin() as placing:
        order_id = str(placing.scalar(text(PLACED), {"user": user.user_id}))
        leave(user)

    user.settle()
    assert stored(user, order_id) == [("PENDING", UUID(user.user_id))]
    user.settle(second_pass_seconds=0)

    assert stored(user, order_id) == [("CANCELLED", NOBODY)]
    query = "SELECT passes FROM closed_accounts WHERE user_id = :id"
    assert [row.passes for row in rows(user, query, id=user.user_id)] == [2]


def test_many_orders_go_in_batches_and_instances_share_them(
    user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(closed_accounts, "BATCH", 7)
    owners = [str(uuid4()) for _ in range(3)]
    order_ids = []
    for owner in owners:
        user.user_id = owner
        order_ids += [place(user) for _ in range(15)]
        user.receive("user.deleted", userId=owner)
    largest = Counter[str]()

    def executed(_c: Any, _s: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().startswith("UPDATE orders SET user_id"):
            largest["rows"] = max(largest["rows"], len(parameters["order_ids"]))

    event.listen(user.engine, "before_cursor_execute", executed)
    try:
        with ThreadPoolExecutor(3) as instances:
            for done in [instances.submit(user.settle) for _ in range(3)]:
                done.result()
        user.settle()
    finally:
        event.remove(user.engine, "before_cursor_execute", executed)

    assert set(stored(user, *order_ids)) == {("CANCELLED", NOBODY)}
    assert all(user.recorded(id).count("order.cancelled") == 1 for id in order_ids)
    assert largest["rows"] == 7


def test_the_thread_that_does_it_is_woken_by_the_event(user: Any) -> None:
    order_id = place(user)
    stop = threading.Event()
    accounts = ClosedAccounts(sessionmaker(user.engine), user.decided.update)
    thread = threading.Thread(target=accounts.run, args=(stop,))
    thread.start()
    try:
        user.receive("user.deleted", userId=user.user_id)
        accounts.notify()
        end = threading.Event()
        for _ in range(100):
            if stored(user, order_id) == [("CANCELLED", NOBODY)]:
                break
            end.wait(0.05)
    finally:
        stop.set()
        thread.join(5)

    assert stored(user, order_id) == [("CANCELLED", NOBODY)]
    assert not thread.is_alive()


def test_nobody_reaches_what_is_nobodys(user: Any, issuer: Any) -> None:
    order_id = place(user)
    leave(user)
    user.user_id = str(uuid4())

    for path in (f"/{user.user_id}/orders/{order_id}", f"/{NOBODY}/orders/{order_id}"):
        answer = user.client.get(path, headers=issuer.headers(user.user_id))
        assert (answer.status_code, answer.json["code"]) == (404, "order-unknown")
    assert user.call("POST", f"orders/{order_id}/cancel").status_code == 404
