"""The statements of catalog-service: one text each, whatever the number of rows.

Rows come as arrays, and are locked in the order of their keys, reservations before products, so
that two who change the same ones cannot deadlock.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from catalog_service.models import Product, Reservation, products, reservations

PAGE = text("""
    SELECT * FROM products WHERE product_id > :after ORDER BY product_id LIMIT :limit
""").columns(*products.c)

PRODUCTS = text("""
    SELECT * FROM products WHERE product_id = ANY(CAST(:product_ids AS text[]))
""").columns(*products.c)

LOCK_PRODUCTS = text("""
    SELECT * FROM products WHERE product_id = ANY(CAST(:product_ids AS text[]))
    ORDER BY product_id FOR UPDATE
""").columns(*products.c)

INSERT_PRODUCT = text("""
    INSERT INTO products (
        product_id, product_name, unit_price, initial_stock, added_stock, stock, version, created_at
    )
    VALUES (
        :product_id, :product_name, :unit_price, :initial_stock, :added_stock, :stock, :version,
        :created_at
    )
    ON CONFLICT DO NOTHING
    RETURNING product_id
""")

# Their rows are locked already, by LOCK_PRODUCTS.
UPDATE_PRODUCTS = text("""
    UPDATE products SET
        product_name = changed.product_name, unit_price = changed.unit_price,
        added_stock = changed.added_stock, stock = changed.stock, version = changed.version
    FROM unnest(
        CAST(:product_id AS text[]), CAST(:product_name AS text[]), CAST(:unit_price AS bigint[]),
        CAST(:added_stock AS bigint[]), CAST(:stock AS bigint[]), CAST(:version AS bigint[])
    ) AS changed (product_id, product_name, unit_price, added_stock, stock, version)
    WHERE products.product_id = changed.product_id
""")

LOCK_RESERVATIONS = text("""
    SELECT order_id, status, lines FROM reservations
    WHERE order_id = ANY(CAST(:order_ids AS uuid[]))
    ORDER BY order_id FOR UPDATE
""").columns(reservations.c.order_id, reservations.c.status, reservations.c.lines)

# A second decision on an order fails on the primary key.
INSERT_RESERVATIONS = text("""
    INSERT INTO reservations (order_id, status, lines)
    SELECT order_id, status, CAST(lines AS jsonb) FROM unnest(
        CAST(:order_id AS uuid[]), CAST(:status AS text[]), CAST(:lines AS text[])
    ) AS decided (order_id, status, lines)
    ORDER BY order_id
""")

# Their rows are locked already, by LOCK_RESERVATIONS.
UPDATE_RESERVATIONS = text("""
    UPDATE reservations SET status = changed.status, changed_at = now()
    FROM unnest(CAST(:order_id AS uuid[]), CAST(:status AS text[])) AS changed (order_id, status)
    WHERE reservations.order_id = changed.order_id
""")


def page(connection: Connection, after: str | None, limit: int) -> list[Product]:
    """The products behind the one with the id `after`, in the order of their ids."""
    rows = connection.execute(PAGE, {"after": after or "", "limit": limit})
    return [Product(*row) for row in rows]


def products_of(connection: Connection, product_ids: Collection[str]) -> list[Product]:
    """Those of `product_ids` that there are."""
    rows = connection.execute(PRODUCTS, {"product_ids": list(product_ids)})
    return [Product(*row) for row in rows]


def lock_products(session: Session, product_ids: Collection[str]) -> dict[str, Product]:
    rows = session.execute(LOCK_PRODUCTS, {"product_ids": list(product_ids)})
    return {row.product_id: Product(*row) for row in rows}


def insert_product(session: Session, product: Product) -> bool:
    """Whether it is new: the primary key decides."""
    return session.scalar(INSERT_PRODUCT, vars(product)) is not None


def update_products(session: Session, changed: Sequence[Product]) -> None:
    if changed:
        session.execute(UPDATE_PRODUCTS, _columns([vars(product) for product in changed]))


def lock_reservations(session: Session, order_ids: Collection[UUID]) -> dict[UUID, Reservation]:
    rows = session.execute(LOCK_RESERVATIONS, {"order_ids": list(order_ids)})
    return {row.order_id: Reservation(*row) for row in rows}


def insert_reservations(session: Session, decided: Sequence[Reservation]) -> None:
    rows = [
        {
            "order_id": reservation.order_id,
            "status": reservation.status.value,
            "lines": json.dumps([line.as_json() for line in reservation.lines]),
        }
        for reservation in decided
    ]
    if rows:
        session.execute(INSERT_RESERVATIONS, _columns(rows))


def update_reservations(session: Session, changed: Sequence[Reservation]) -> None:
    """Of a reservation only the status changes."""
    rows = [
        {"order_id": reservation.order_id, "status": reservation.status.value}
        for reservation in changed
    ]
    if rows:
        session.execute(UPDATE_RESERVATIONS, _columns(rows))


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """An array for each field of `rows`, which all have the same."""
    return {name: [row[name] for row in rows] for name in rows[0]}
