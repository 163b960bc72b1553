"""What `verify` calls broken, and what it excuses."""

from typing import Any

import pytest

from fusebox.operations.verify.command import settle
from fusebox.operations.verify.invariants import (
    Finding,
    Reading,
    StoredOrder,
    StoredProduct,
    no_stock_below_zero,
    orders_decided,
    outboxes_empty,
    stock_adds_up,
    stores_agree,
)


def line(qty: int, product_id: str = "BERLIN") -> dict[str, Any]:
    return {"productId": product_id, "qty": qty}


def reading(
    products: list[StoredProduct] | None = None,
    reservations: dict[str, StoredOrder] | None = None,
    orders: dict[str, StoredOrder] | None = None,
    outbox: list[tuple[int, str]] | None = None,
) -> Reading:
    return Reading(
        products or [], reservations or {}, orders or {}, {"order-service": outbox or []}
    )


def test_stock_that_was_sold_is_accounted_for_by_its_reservations() -> None:
    finding = stock_adds_up(
        reading(
            [StoredProduct("BERLIN", initial=100, added=20, stock=115)],
            {"1": StoredOrder("RESERVED", [line(5)]), "2": StoredOrder("RELEASED", [line(7)])},
        )
    )

    assert finding.holds
    assert finding.figures["BERLIN"] == "100 + 20 = 115 + 5"


def test_a_piece_that_is_gone_without_a_reservation_is_found() -> None:
    finding = stock_adds_up(reading([StoredProduct("BERLIN", initial=100, added=0, stock=99)]))

    assert finding.offenders == {"BERLIN: 100 had, 99 accounted for"}


def test_stock_below_zero_is_found() -> None:
    assert no_stock_below_zero(reading([StoredProduct("BERLIN", 1, 0, -1)])).offenders == {"BERLIN"}


def test_a_pending_order_is_excused_while_its_event_waits_in_an_outbox() -> None:
    orders = {
        "1": StoredOrder("PENDING", []),
        "2": StoredOrder("PENDING", []),
        "3": StoredOrder("CONFIRMED", []),
    }

    assert orders_decided(reading(orders=orders, outbox=[(9, "1")])).offenders == {"2"}


def test_a_row_left_in_an_outbox_is_found() -> None:
    assert outboxes_empty(reading(outbox=[(9, "1")])).offenders == {"order-service event 9"}


@pytest.mark.parametrize(
    ("order", "reservation"),
    [
        ("CONFIRMED", "RESERVED"),
        ("REJECTED", "REJECTED"),
        ("CANCELLED", "RELEASED"),
        ("CANCELLED", "REJECTED"),
        ("PENDING", "RESERVED"),
    ],
)
def test_an_order_and_its_reservation_may_stand_so(order: str, reservation: str) -> None:
    finding = stores_agree(
        reading(
            orders={"1": StoredOrder(order, [line(2)])},
            reservations={"1": StoredOrder(reservation, [line(2)])},
        )
    )

    assert finding.holds


@pytest.mark.parametrize(
    ("order", "reservation"),
    [("CONFIRMED", "RELEASED"), ("CONFIRMED", "REJECTED"), ("CANCELLED", "RESERVED")],
)
def test_an_order_and_its_reservation_may_not_stand_so(order: str, reservation: str) -> None:
    finding = stores_agree(
        reading(
            orders={"1": StoredOrder(order, [line(2)])},
            reservations={"1": StoredOrder(reservation, [line(2)])},
        )
    )

    assert finding.offenders == {f"order 1 is {order}, its reservation {reservation}"}


def test_a_cancel_that_came_before_its_order_agrees_without_quantities() -> None:
    finding = stores_agree(
        reading(
            orders={"1": StoredOrder("CANCELLED", [line(2)])},
            reservations={"1": StoredOrder("CANCELLED", [])},
        )
    )

    assert finding.holds


def test_other_quantities_reserved_than_ordered_are_found() -> None:
    finding = stores_agree(
        reading(
            orders={"1": StoredOrder("CONFIRMED", [line(2)])},
            reservations={"1": StoredOrder("RESERVED", [line(3)])},
        )
    )

    assert not finding.holds


def test_a_reservation_without_an_order_is_found() -> None:
    finding = stores_agree(reading(reservations={"7": StoredOrder("RESERVED", [])}))

    assert finding.offenders == {"reservation 7 has no order"}


def test_on_a_live_shop_only_what_stays_wrong_is_broken() -> None:
    looks = iter([{"1", "2"}, {"2", "3"}, {"3"}])

    def look() -> list[Finding]:
        return [Finding("orders", {}, frozenset(next(looks)))]

    assert settle(look, seconds=60)[0].holds


def test_what_is_wrong_in_every_look_is_broken_in_the_end() -> None:
    finding = Finding("orders", {}, frozenset({"1"}))

    assert settle(lambda: [finding], seconds=0) == [finding]
