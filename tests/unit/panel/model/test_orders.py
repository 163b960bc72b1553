"""Orders as they move, from the records of the topics."""

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from panel.model.orders import ORDERS_KEPT, PRODUCTS_KEPT, OrderBook, TopicRecord

SAMPLES = Path(__file__).resolve().parents[3] / "contract" / "samples"
ORDER_ID = json.loads((SAMPLES / "order.placed.json").read_text())["orderId"]
DECISION = ("catalog", 2, 41)


def record(type: str, offset: int = 0, **changed: Any) -> TopicRecord:
    data = {**json.loads((SAMPLES / f"{type}.json").read_text()), **changed}
    key = str(data.get("orderId") or data.get("productId"))
    topic, partition, at = ("catalog", 2, 41) if type.startswith("stock") else ("orders", 1, offset)
    return TopicRecord(topic, partition, at, 1_000.0, key, type, data, "ab" * 16)


def test_an_order_is_pending_until_its_decision_is_committed() -> None:
    book = OrderBook()
    book.take(record("order.placed"))
    book.take(record("stock.reserved"))
    entry = book.entries[ORDER_ID]

    assert entry.status == "PENDING", "catalog-service has decided, order-service not yet"
    assert book.awaits_commit
    assert not book.commit({DECISION[:2]: DECISION[2]}, 2_000.0), "that is the record itself"
    assert book.commit({DECISION[:2]: DECISION[2] + 1}, 2_001.0)
    assert (entry.status, entry.decided_at) == ("CONFIRMED", 2_001.0)
    assert not book.awaits_commit


def test_an_order_of_the_past_was_decided_when_its_decision_was_published() -> None:
    book = OrderBook()
    book.take(record("order.placed"))
    book.take(record("stock.reserved"))
    book.commit({DECISION[:2]: 100}, None)

    assert book.entries[ORDER_ID].decided_at == 1_000.0


def test_an_order_without_stock_is_rejected() -> None:
    book = OrderBook()
    for type in ("order.placed", "stock.rejected"):
        book.take(record(type))
    book.commit({DECISION[:2]: 100}, 0)

    assert book.entries[ORDER_ID].status == "REJECTED"


def test_a_decision_after_a_cancellation_changes_nothing() -> None:
    book = OrderBook()
    for type in ("order.placed", "order.cancelled", "stock.reserved"):
        book.take(record(type))
    book.commit({DECISION[:2]: 100}, 0)

    assert book.entries[ORDER_ID].status == "CANCELLED"
    assert book.entries[ORDER_ID].cancelled_at == "2026-11-21T12:00:05.250000Z"


def test_an_order_says_whether_it_was_checked_without_the_catalog() -> None:
    book = OrderBook()
    book.take(record("order.placed", degraded=["catalog-service"]))

    assert book.entries[ORDER_ID].degraded


def test_a_record_that_comes_again_changes_nothing() -> None:
    book = OrderBook()
    for _ in range(2):
        book.take(record("order.placed"))
        book.take(record("stock.reserved"))
        book.commit({DECISION[:2]: 100}, 7.0)

    [entry] = book.entries.values()
    assert (entry.status, entry.decided_at) == ("CONFIRMED", 7.0)


def test_products_are_named_by_what_catalog_says_of_them() -> None:
    book = OrderBook()
    book.take(record("product.changed"))

    assert book.product_names == {"CATALOG-0001": "Berlin"}


def test_the_newest_orders_are_kept_and_no_more() -> None:
    book = OrderBook()
    for number in range(3 * ORDERS_KEPT):
        at = f"2026-11-21T12:00:{number % 60:02d}.{number:06d}Z"
        book.take(record("order.placed", orderId=f"order-{number}", placedAt=at))
        book.take(record("product.changed", productId=f"product-{number * PRODUCTS_KEPT}"))

    assert len(book.entries) == ORDERS_KEPT
    times = [entry.placed_at for entry in book.newest_first()]
    assert times == sorted(times, reverse=True)


def test_the_names_of_products_do_not_grow() -> None:
    book = OrderBook()
    for number in range(2 * PRODUCTS_KEPT):
        book.take(record("product.changed", productId=f"product-{number}"))

    assert len(book.product_names) == PRODUCTS_KEPT


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=9), values),
    max_leaves=8,
)


@given(
    st.sampled_from(["order.placed", "order.cancelled", "stock.reserved", "product.changed", "x"]),
    st.dictionaries(
        st.sampled_from(["orderId", "userId", "lines", "totalPrice", "placedAt", "productId"]), JSON
    ),
)
def test_whatever_is_in_a_record_breaks_nothing(type: str, data: dict[str, Any]) -> None:
    book = OrderBook()
    book.take(record("order.placed"))
    book.take(TopicRecord("orders", 0, 0, 0.0, ORDER_ID, type, data))

    assert all(isinstance(entry.total, int) for entry in book.newest_first())
