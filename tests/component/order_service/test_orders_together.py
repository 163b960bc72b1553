"""Orders that come at the same moment: checked and committed together, each with its own fate."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from order_service.models import outbox

GOOD = {"productId": "A", "qty": 1}


def together(user: Any, requests: list[Callable[[], Any]]) -> list[Any]:
    """The answers of `requests`, which all come while catalog-service answers a first one."""
    user.catalog.open.clear()
    with ThreadPoolExecutor(32) as pool:
        futures: list[Future[Any]] = [pool.submit(user.place, **GOOD)]
        end = time.monotonic() + 10
        while not user.catalog.questions:
            assert time.monotonic() < end
            time.sleep(0.001)
        futures += [pool.submit(request) for request in requests]
        time.sleep(0.05)
        user.catalog.open.set()
        answers = [future.result(30) for future in futures]
    assert answers.pop(0).status_code == 201
    return answers


def test_many_orders_are_one_question_to_catalog_service(user: Any) -> None:
    answers = together(user, [lambda: user.place(**GOOD)] * 20)

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_json()["orderId"] for answer in answers}) == 20
    assert len(user.catalog.questions) < 7
    assert len(user.call("GET", "orders").get_json()) == 21


def test_each_order_of_many_has_its_own_fate(user: Any, issuer: Any) -> None:
    closed = str(uuid4())
    user.receive("user.deleted", userId=closed)
    # No column holds its price, so the statement for all of them fails.
    user.catalog.offers.append({"productId": "HUGE", "unitPrice": 10**19, "stock": 1})
    cancelled = user.place(**GOOD).get_json()["orderId"]
    path = f"orders/{cancelled}/cancel"

    answers = together(
        user,
        [
            lambda: user.place(**GOOD),
            lambda: user.place(productId="A", qty=11),
            lambda: user.place(productId="GONE", qty=1),
            lambda: user.place(productId="A", qty=1, unitPrice=99),
            lambda: user.place(productId="HUGE", qty=1),
            lambda: user.client.post(
                f"/{closed}/orders", json=GOOD, headers=issuer.headers(closed)
            ),
            lambda: user.call("POST", path),
            lambda: user.call("POST", f"orders/{uuid4()}/cancel"),
            lambda: user.place("k", **GOOD),
            lambda: user.place(lines=[GOOD, {"productId": "B", "qty": 3}]),
        ],
    )

    assert [answer.status_code for answer in answers] == [
        *(201, 409, 404, 409, 500, 401, 202, 404, 201, 201)
    ]
    assert [answers[n].get_json()["code"] for n in (1, 2, 3, 7)] == [
        *("out-of-stock", "product-unknown", "price-changed", "order-unknown")
    ]
    assert user.status(cancelled) == "CANCELLED"
    assert user.recorded(cancelled) == ["order.placed", "order.cancelled"]
    assert len(user.call("GET", "orders").get_json()) == 5


@pytest.mark.parametrize("times", [2, 8])
def test_of_many_cancels_of_one_order_one_has_an_effect(user: Any, times: int) -> None:
    order_id = user.place(**GOOD).get_json()["orderId"]

    answers = together(user, [lambda: user.call("POST", f"orders/{order_id}/cancel")] * times)

    assert sorted(answer.status_code for answer in answers) == [202, *[409] * (times - 1)]
    assert user.recorded(order_id) == ["order.placed", "order.cancelled"]


def test_with_catalog_away_each_of_many_is_checked_by_what_was_last_known(user: Any) -> None:
    known = f"K-{uuid4()}"
    user.receive("product.changed", productId=known, unitPrice=9, stock=4, version=1)
    user.receive("product.changed", productId="A", unitPrice=100, stock=10, version=1)
    user.catalog.status = 503

    def place(product_id: str, qty: int) -> Callable[[], Any]:
        return lambda: user.place(productId=product_id, qty=qty)

    answers = together(user, [place(known, 4), place(known, 5), place("NEVER-SEEN", 1)])

    assert [answer.status_code for answer in answers] == [201, 409, 503]
    assert answers[0].get_json()["degraded"] == ["catalog-service"]


def test_each_event_is_recorded_in_the_trace_of_its_own_order(user: Any) -> None:
    traces = [f"{n:032x}" for n in range(1, 9)]

    def place(trace: str) -> Callable[[], Any]:
        b3 = {"b3": f"{trace}-{trace[:15]}1-1"}
        return lambda: (trace, user.call("POST", "orders", json=GOOD, headers=b3).get_json())

    answers = together(user, [place(trace) for trace in traces])

    with Session(user.engine) as session:
        rows = session.execute(select(outbox.table.c.key, outbox.table.c.span))
        spans = {row.key: row.span for row in rows}
    assert {trace: spans[order["orderId"]][:32] for trace, order in answers} == {
        trace: trace for trace in traces
    }


def test_an_order_whose_time_is_over_is_not_placed_and_the_others_are(user: Any) -> None:
    def place(seconds: float) -> Callable[[], Any]:
        moment = str(int((time.time() + seconds) * 1000))
        headers = {"X-Request-Deadline": moment}
        return lambda: user.call("POST", "orders", json=GOOD, headers=headers)

    late, *good = together(user, [place(0.04), place(20), place(20)])

    assert late.status_code == 504
    assert [answer.status_code for answer in good] == [201, 201]
    assert len(user.call("GET", "orders").get_json()) == 3


def test_strange_product_ids_do_not_break_the_question_of_others(user: Any) -> None:
    strange = [
        {"productId": f"{n:02}" + "\N{CLINKING BEER MUGS}" * 60, "qty": 1} for n in range(90)
    ]

    refused, good = together(user, [lambda: user.place(lines=strange), lambda: user.place(**GOOD)])

    assert (refused.status_code, refused.get_json()["code"]) == (404, "product-unknown")
    assert good.status_code == 201
    assert "degraded" not in good.get_json()
    assert max(len(question) for question in user.catalog.questions) < 8000


def test_the_breaker_counts_each_of_the_orders_that_one_question_was_for(user: Any) -> None:
    user.receive("product.changed", productId="A", unitPrice=100, stock=10, version=1)
    user.catalog.status = 503

    together(user, [lambda: user.place(**GOOD)] * 6)

    assert user.process.breakers.of("catalog-service").state == "OPEN"
    assert len(user.catalog.questions) < 5
