"""The rules of products and reservations, without an engine."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from catalog_service.models import (
    Product,
    ReleaseStock,
    Reservation,
    ReservationLine,
    ReservationStatus,
    ReserveStock,
    Shortage,
    decide,
    release,
    reserve,
)


def shelf_with(**stock: int) -> dict[str, Product]:
    return {name: Product.create(name, name, 100, quantity) for name, quantity in stock.items()}


def lines_of(**quantities: int) -> list[ReservationLine]:
    return [ReservationLine(product_id, qty) for product_id, qty in quantities.items()]


def stock_of(shelf: dict[str, Product]) -> dict[str, int]:
    return {product_id: product.stock for product_id, product in shelf.items()}


def versions_of(shelf: dict[str, Product]) -> dict[str, int]:
    return {product_id: product.version for product_id, product in shelf.items()}


def test_a_new_product_has_its_first_stock_and_version_1() -> None:
    product = Product.create("A", "Berlin", 1500, 100)

    assert (product.stock, product.initial_stock, product.added_stock) == (100, 100, 0)
    assert (product.product_name, product.unit_price, product.version) == ("Berlin", 1500, 1)


@pytest.mark.parametrize(
    ("change", "name", "price", "stock"),
    [
        ((None, None, None), "Berlin", 1500, 100),
        (("Bonn", None, None), "Bonn", 1500, 100),
        ((None, 0, None), "Berlin", 0, 100),
        ((None, None, 5), "Berlin", 1500, 105),
        ((None, None, 0), "Berlin", 1500, 100),
        (("Bonn", 7, 5), "Bonn", 7, 105),
    ],
)
def test_a_change_leaves_alone_what_it_does_not_name_and_is_a_new_version(
    change: tuple[Any, Any, Any], name: str, price: int, stock: int
) -> None:
    product = Product.create("A", "Berlin", 1500, 100)

    product.change(*change)

    assert (product.product_name, product.unit_price, product.stock) == (name, price, stock)
    assert product.version == 2


def test_added_stock_is_counted_so_that_nothing_ever_gets_lost() -> None:
    product = Product.create("A", "Berlin", 1500, 100)

    product.change(None, None, 5)
    product.change(None, None, 6)
    product.take(11)

    assert product.initial_stock + product.added_stock == product.stock + 11


def test_an_order_takes_all_it_wants() -> None:
    order_id, shelf = uuid4(), shelf_with(A=5, B=5, C=5)

    reservation, shortage = reserve(order_id, lines_of(A=2, B=5), shelf)

    assert shortage is None
    assert (reservation.order_id, reservation.status) == (order_id, ReservationStatus.RESERVED)
    assert reservation.lines == lines_of(A=2, B=5)
    assert stock_of(shelf) == {"A": 3, "B": 0, "C": 5}


@pytest.mark.parametrize(
    ("quantities", "shortage"),
    [
        ({"A": 2, "B": 6}, Shortage("out-of-stock", ["B"])),
        ({"A": 6, "B": 6}, Shortage("out-of-stock", ["A", "B"])),
        ({"A": 2, "GONE": 1}, Shortage("product-unknown", ["GONE"])),
        ({"A": 6, "GONE": 1}, Shortage("product-unknown", ["A", "GONE"])),
    ],
)
def test_an_order_that_cannot_have_all_takes_nothing_and_learns_what_is_missing(
    quantities: dict[str, int], shortage: Shortage
) -> None:
    shelf = shelf_with(A=5, B=5)

    reservation, missing = reserve(uuid4(), lines_of(**quantities), shelf)

    assert missing == shortage
    assert reservation.status == ReservationStatus.REJECTED
    assert (stock_of(shelf), versions_of(shelf)) == ({"A": 5, "B": 5}, {"A": 1, "B": 1})


def test_what_is_released_is_back_on_the_shelf_once() -> None:
    shelf = shelf_with(A=5, B=5)
    reservation, _ = reserve(uuid4(), lines_of(A=2, B=5), shelf)

    assert release(reservation, shelf)
    assert not release(reservation, shelf)

    assert reservation.status == ReservationStatus.RELEASED
    assert stock_of(shelf) == {"A": 5, "B": 5}


@pytest.mark.parametrize("status", [ReservationStatus.REJECTED, ReservationStatus.CANCELLED])
def test_a_reservation_that_holds_nothing_gives_nothing_back(status: ReservationStatus) -> None:
    shelf = shelf_with(A=5)
    reservation = Reservation(uuid4(), status, lines_of(A=2))

    assert not release(reservation, shelf)

    assert (stock_of(shelf), reservation.status) == ({"A": 5}, status)


def test_every_move_of_stock_is_a_new_version_of_its_product_and_of_no_other() -> None:
    shelf = shelf_with(A=5, B=5)

    reservation, _ = reserve(uuid4(), lines_of(A=2), shelf)
    assert versions_of(shelf) == {"A": 2, "B": 1}

    release(reservation, shelf)
    assert versions_of(shelf) == {"A": 3, "B": 1}


def test_a_batch_is_decided_in_its_order_until_the_stock_is_gone() -> None:
    shelf, orders = shelf_with(A=3), [uuid4() for _ in range(3)]

    decisions = decide([ReserveStock(order_id, lines_of(A=2)) for order_id in orders], {}, shelf)

    assert [decision and decision.shortage for decision in decisions] == [
        None,
        Shortage("out-of-stock", ["A"]),
        Shortage("out-of-stock", ["A"]),
    ]
    assert [decision and decision.moved for decision in decisions] == [True, False, False]
    assert stock_of(shelf) == {"A": 1}


def test_what_a_cancel_gives_back_the_next_order_of_the_batch_may_have() -> None:
    shelf, first, second = shelf_with(A=2), uuid4(), uuid4()
    reservations: dict[UUID, Reservation] = {}

    decide(
        [
            ReserveStock(first, lines_of(A=2)),
            ReleaseStock(first),
            ReserveStock(second, lines_of(A=2)),
        ],
        reservations,
        shelf,
    )

    assert reservations[first].status is ReservationStatus.RELEASED
    assert reservations[second].status is ReservationStatus.RESERVED
    assert stock_of(shelf) == {"A": 0}


def test_an_order_is_decided_once_and_not_at_all_once_it_is_cancelled() -> None:
    shelf, order_id, cancelled = shelf_with(A=5), uuid4(), uuid4()
    order, late = ReserveStock(order_id, lines_of(A=2)), ReserveStock(cancelled, lines_of(A=2))
    reservations: dict[UUID, Reservation] = {}

    decisions = decide(
        [order, order, ReleaseStock(cancelled), late, ReleaseStock(cancelled)], reservations, shelf
    )

    assert [decision is not None for decision in decisions] == [True, False, True, False, False]
    assert reservations[cancelled] == Reservation(cancelled, ReservationStatus.CANCELLED, [])
    assert stock_of(shelf) == {"A": 3}
