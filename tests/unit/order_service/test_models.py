"""The rules of orders, without an engine."""

from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Dialect
from sqlalchemy.dialects import postgresql

from chassis.core.errors import Conflict, NotFound, Problem, Unavailable
from order_service.models import (
    ALLOWED_FROM,
    LinesColumn,
    Order,
    OrderLine,
    OrderLineRequest,
    OrderStatus,
    ProductSnapshot,
    StatusColumn,
    check,
    merge_lines,
    require_known,
)

PENDING, CONFIRMED, REJECTED, CANCELLED = OrderStatus
PRODUCTS = {"A": ProductSnapshot("A", 100, 10), "B": ProductSnapshot("B", 7, 3)}
DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]


def order_in(status: OrderStatus) -> Order:
    order = Order.place(uuid4(), [OrderLine("A", 1, 100)])
    order.status = status
    return order


def test_a_placed_order_is_pending_and_costs_the_sum_of_its_lines() -> None:
    user_id, lines = uuid4(), [OrderLine("A", 2, 100), OrderLine("B", 3, 7)]

    order = Order.place(user_id, lines)

    assert (order.user_id, order.status, order.reason) == (user_id, PENDING, None)
    assert (order.lines, order.total_price) == (lines, 221)
    assert order.created_at.tzinfo is not None


def test_ids_of_orders_ascend_so_that_the_newest_is_the_last() -> None:
    ids = [Order.place(uuid4(), []).order_id for _ in range(50)]

    assert all(earlier < later for earlier, later in pairwise(ids))


def test_an_order_moves_these_ways_and_no_other() -> None:
    assert {(old, new) for new, olds in ALLOWED_FROM.items() for old in olds} == {
        (PENDING, CONFIRMED),
        (PENDING, REJECTED),
        (PENDING, CANCELLED),
        (CONFIRMED, CANCELLED),
    }


@pytest.mark.parametrize("status", [PENDING, CONFIRMED])
def test_an_order_can_be_cancelled_before_and_after_it_is_confirmed(status: OrderStatus) -> None:
    order = order_in(status)

    order.cancel()

    assert order.status is CANCELLED


@pytest.mark.parametrize("status", [REJECTED, CANCELLED])
def test_a_rejected_or_cancelled_order_cannot_be_cancelled(status: OrderStatus) -> None:
    order = order_in(status)

    with pytest.raises(Conflict, match=f"A {status} order cannot be cancelled") as refused:
        order.cancel()

    assert refused.value.code == "too-late"
    assert order.status is status


def test_lines_are_stored_as_the_events_have_them_and_come_back_as_values() -> None:
    lines = [OrderLine("A", 2, 100), OrderLine("B", 1, 7)]
    column = LinesColumn()

    stored = column.process_bind_param(lines, DIALECT)

    assert stored == [
        {"productId": "A", "qty": 2, "unitPrice": 100},
        {"productId": "B", "qty": 1, "unitPrice": 7},
    ]
    assert column.process_result_value(stored, DIALECT) == lines


@pytest.mark.parametrize("status", OrderStatus)
def test_a_status_is_stored_by_its_name_and_comes_back_as_the_enum(status: OrderStatus) -> None:
    stored = StatusColumn().process_bind_param(status, DIALECT)

    assert type(stored) is str
    assert StatusColumn().process_result_value(stored, DIALECT) is status


def test_lines_for_one_product_become_one_and_keep_the_order_of_the_first() -> None:
    merged = merge_lines(
        [OrderLineRequest("B", 1), OrderLineRequest("A", 2), OrderLineRequest("B", 4)]
    )

    assert merged == [OrderLineRequest("B", 5), OrderLineRequest("A", 2)]


@given(st.lists(st.none() | st.integers(99, 101), min_size=1), st.integers(99, 101))
def test_merged_lines_agree_with_a_price_when_each_of_them_does(
    prices: list[int | None], unit_price: int
) -> None:
    (merged,) = merge_lines(OrderLineRequest("A", 1, price) for price in prices)

    assert merged.qty == len(prices)
    assert merged.agrees_with(unit_price) == all(price in (None, unit_price) for price in prices)


@pytest.mark.parametrize("prices", [(1, 100), (100, 1), (None, 1, 100), (100, 1, None), (1, 1)])
def test_a_line_with_a_wrong_price_is_refused_whatever_the_lines_beside_it_say(
    prices: tuple[int | None, ...],
) -> None:
    with pytest.raises(Conflict) as refused:
        check(merge_lines(OrderLineRequest("A", 1, price) for price in prices), PRODUCTS)

    assert (refused.value.code, refused.value.members["products"]) == ("price-changed", ["A"])


def test_a_request_is_priced_as_the_products_are_now() -> None:
    lines = check([OrderLineRequest("A", 10), OrderLineRequest("B", 1, unit_price=7)], PRODUCTS)

    assert lines == [OrderLine("A", 10, 100), OrderLine("B", 1, 7)]


@pytest.mark.parametrize(
    ("requests", "kind", "code", "products"),
    [
        ([OrderLineRequest("X", 1), OrderLineRequest("A", 99)], NotFound, "product-unknown", ["X"]),
        ([OrderLineRequest("A", 1, 99)], Conflict, "price-changed", ["A"]),
        ([OrderLineRequest("A", 1, 101)], Conflict, "price-changed", ["A"]),
        ([OrderLineRequest("A", 99, 0)], Conflict, "price-changed", ["A"]),
        (
            [OrderLineRequest("A", 11), OrderLineRequest("B", 4)],
            Conflict,
            "out-of-stock",
            ["A", "B"],
        ),
        ([OrderLineRequest("A", 10), OrderLineRequest("B", 4)], Conflict, "out-of-stock", ["B"]),
    ],
)
def test_a_request_that_cannot_be_met_names_the_products_to_blame(
    requests: list[OrderLineRequest], kind: type[Problem], code: str, products: list[str]
) -> None:
    with pytest.raises(kind) as refused:
        check(requests, PRODUCTS)

    assert refused.value.code == code
    assert refused.value.members["products"] == products
    assert all(product_id in str(refused.value) for product_id in products)


def test_without_catalog_service_a_product_never_heard_of_is_unavailable_and_not_unknown() -> None:
    facts = {"A": ProductSnapshot("A", 9, 4)}

    require_known(["A"], facts)
    with pytest.raises(Unavailable, match="B, C is not known here") as refused:
        require_known(["A", "B", "C"], facts)

    assert refused.value.members["products"] == ["B", "C"]


def test_an_order_id_is_a_uuid_of_version_7() -> None:
    order_id: UUID = Order.place(uuid4(), []).order_id

    assert order_id.version == 7
