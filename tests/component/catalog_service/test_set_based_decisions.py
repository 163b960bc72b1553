"""Statements for whole batches against the rules of one event: any mix, twice, in any order."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from catalog_service.models import Product, Reservation, decide

PRODUCTS, ORDERS = 3, 5
STOCK = 4
# Of an order: a cancel, or the quantity that it wants of each product; the last is not in stock.
QUANTITIES = st.lists(st.integers(0, STOCK), min_size=PRODUCTS + 1, max_size=PRODUCTS + 1).filter(
    any
)
EVENT = st.tuples(st.integers(0, ORDERS - 1), st.none() | QUANTITIES)


@dataclass
class Rules:
    """What the rules make of one event after another, without a database."""

    shelf: dict[str, Product]
    reservations: dict[UUID, Reservation] = field(default_factory=dict)
    seen: set[UUID] = field(default_factory=set)

    def receive(self, events: Sequence[Any]) -> list[tuple[str, str]]:
        """The types of the answers, each with its order."""
        answers = []
        for event in events:
            if event.id in self.seen:
                continue
            self.seen.add(event.id)
            (decision,) = decide([event.data.request()], self.reservations, self.shelf)
            if decision is not None and event.type == "order.placed":
                kind = "stock.rejected" if decision.shortage else "stock.reserved"
                answers.append((kind, str(event.data.order_id)))
        return answers


@pytest.fixture(scope="module")
def product_ids(running: Any) -> list[str]:
    return [running.product(stock=STOCK) for _ in range(PRODUCTS)]


def restock(catalog: Any, product_ids: list[str]) -> dict[str, Product]:
    """The products as new, and as the rules see them."""
    with catalog.engine.begin() as connection:
        connection.execute(text("TRUNCATE reservations, inbox"))
        connection.execute(
            text("UPDATE products SET stock = :stock, version = 1 WHERE product_id = ANY(:ids)"),
            {"stock": STOCK, "ids": product_ids},
        )
    return {product_id: Product.create(product_id, "P", 100, STOCK) for product_id in product_ids}


def stored(catalog: Any, product_ids: list[str]) -> tuple[dict[str, Any], dict[UUID, str]]:
    with catalog.engine.begin() as connection:
        rows = connection.execute(
            text("SELECT product_id, stock, version FROM products WHERE product_id = ANY(:ids)"),
            {"ids": product_ids},
        )
        products = {row.product_id: (row.stock, row.version) for row in rows}
        rows = connection.execute(text("SELECT order_id, status FROM reservations"))
        return products, {row.order_id: row.status for row in rows}


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_batch_ends_as_its_events_would_one_after_another(
    catalog: Any, event_of: Any, product_ids: list[str], data: st.DataObject
) -> None:
    rules = Rules(restock(catalog, product_ids))
    ordered, orders = [*product_ids, "GONE"], [str(uuid4()) for _ in range(ORDERS)]
    events = [
        event_of("order.cancelled", orderId=orders[order])
        if quantities is None
        else event_of(
            "order.placed",
            orderId=orders[order],
            lines=[
                {"productId": product_id, "qty": qty}
                for product_id, qty in zip(ordered, quantities, strict=True)
                if qty
            ],
        )
        for order, quantities in data.draw(st.lists(EVENT, min_size=1, max_size=10), label="events")
    ]
    sequence = data.draw(st.lists(st.sampled_from(events), max_size=20), label="sequence") + events
    sizes = data.draw(st.lists(st.integers(1, 8), min_size=1), label="sizes of batches")

    while sequence:
        size = sizes.pop(0) if sizes else len(sequence)
        batch, sequence = sequence[:size], sequence[size:]
        rows = catalog.receive(*batch)
        answers = [(row.type, row.key) for row in rows if row.topic == "catalog"]
        assert answers == rules.receive(batch)
        products, reservations = stored(catalog, product_ids)
        assert products == {id: (item.stock, item.version) for id, item in rules.shelf.items()}
        assert reservations == {id: item.status for id, item in rules.reservations.items()}
        assert_nothing_is_lost(rules, products)


def assert_nothing_is_lost(rules: Rules, products: dict[str, Any]) -> None:
    """What is in stock and what is reserved is all there was, and an order holds all or nothing."""
    held: defaultdict[str, int] = defaultdict(int)
    for reservation in rules.reservations.values():
        if reservation.status == "RESERVED":
            for line in reservation.lines:
                held[line.product_id] += line.qty
    assert {id: stock + held[id] for id, (stock, _) in products.items()} == dict.fromkeys(
        products, STOCK
    )
