"""The statements of order-service that read and write many rows: one text whatever their number.

Each takes its rows as arrays.  Rows are locked in the order of their keys, so that two who change
the same ones cannot deadlock.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Column, Connection, Row, text
from sqlalchemy.orm import Session

from chassis.core.errors import InvalidToken
from order_service.models import ALLOWED_FROM, Order, OrderStatus, ProductSnapshot, orders

# Above every id that there is.
NEWEST = UUID(int=2**128 - 1)

INSERT_ORDERS = text("""
    INSERT INTO orders (order_id, user_id, status, lines, total_price, created_at, version)
    SELECT order_id, user_id, status, CAST(lines AS jsonb), total_price, created_at, version
    FROM unnest(
        CAST(:order_id AS uuid[]), CAST(:user_id AS uuid[]), CAST(:status AS text[]),
        CAST(:lines AS text[]), CAST(:total_price AS bigint[]),
        CAST(:created_at AS timestamptz[]), CAST(:version AS bigint[])
    ) AS placed (order_id, user_id, status, lines, total_price, created_at, version)
""")

MOVE_ORDERS = text("""
    WITH moves AS (
        SELECT * FROM unnest(
            CAST(:order_id AS uuid[]), CAST(:status AS text[]), CAST(:reason AS text[])
        ) AS moves (order_id, status, reason)
    ), movable AS (
        SELECT order_id, moves.status, moves.reason
        FROM orders JOIN moves USING (order_id)
        WHERE (orders.status, moves.status) IN (
            SELECT * FROM unnest(CAST(:allowed_from AS text[]), CAST(:allowed_to AS text[]))
        )
        ORDER BY order_id
        FOR UPDATE OF orders
    )
    UPDATE orders
    SET status = movable.status, reason = movable.reason, version = version + 1
    FROM movable
    WHERE orders.order_id = movable.order_id
    RETURNING orders.order_id
""")
ALLOWED = [(old, new) for new, olds in ALLOWED_FROM.items() for old in olds]

LOCK_ORDERS = text("""
    SELECT * FROM orders WHERE order_id = ANY(CAST(:order_ids AS uuid[]))
    ORDER BY order_id FOR UPDATE
""").columns(*orders.c)

CLOSED_ACCOUNTS = text("""
    SELECT user_id FROM closed_accounts WHERE user_id = ANY(CAST(:user_ids AS uuid[]))
""")

# A row in any case: whether the account is closed is known by the same round trip.
READ_ORDER = text("""
    SELECT EXISTS (SELECT FROM closed_accounts WHERE user_id = :user_id) AS is_closed, orders.*
    FROM (SELECT) AS once
    LEFT JOIN orders ON orders.order_id = :order_id AND orders.user_id = :user_id
""").columns(Column("is_closed", Boolean), *orders.c)

READ_ORDERS = text("""
    SELECT EXISTS (SELECT FROM closed_accounts WHERE user_id = :user_id) AS is_closed, page.*
    FROM (SELECT) AS once
    LEFT JOIN LATERAL (
        SELECT * FROM orders WHERE user_id = :user_id AND order_id < :before
        ORDER BY order_id DESC LIMIT :limit
    ) AS page ON true
    ORDER BY order_id DESC
""").columns(Column("is_closed", Boolean), *orders.c)

PRODUCT_FACTS = text("""
    SELECT product_id, unit_price, stock FROM product_facts
    WHERE product_id = ANY(CAST(:product_ids AS text[]))
""")

REMEMBER_PRODUCTS = text("""
    INSERT INTO product_facts AS known (product_id, unit_price, stock, version)
    SELECT * FROM unnest(
        CAST(:product_id AS text[]), CAST(:unit_price AS bigint[]),
        CAST(:stock AS bigint[]), CAST(:version AS bigint[])
    ) AS news (product_id, unit_price, stock, version)
    ORDER BY product_id
    ON CONFLICT (product_id) DO UPDATE
    SET unit_price = excluded.unit_price, stock = excluded.stock, version = excluded.version
    WHERE known.version < excluded.version
""")

CLOSE_ACCOUNTS = text("""
    INSERT INTO closed_accounts (user_id)
    SELECT user_id FROM unnest(CAST(:user_ids AS uuid[])) AS deleted (user_id) ORDER BY user_id
    ON CONFLICT DO NOTHING
""")


@dataclass(frozen=True)
class Move:
    """Where an order is to come to, and why."""

    order_id: UUID
    to: OrderStatus
    reason: str | None = None


def insert_orders(session: Session, placed: Sequence[Order]) -> None:
    rows = [
        {
            **vars(order),
            "status": order.status.value,
            "lines": json.dumps([line.as_json() for line in order.lines]),
        }
        for order in placed
    ]
    if rows:
        session.execute(INSERT_ORDERS, columns(rows))


def move_orders(session: Session, moves: Sequence[Move]) -> dict[UUID, Move]:
    """Move orders that are in a state to move, and return the moves made, by order.

    Of two moves of one order the first counts.

    The others stay as they are: one that was cancelled meanwhile is not confirmed, and
    catalog-service gets an event of its own about it.
    """
    first: dict[UUID, Move] = {}
    for move in moves:
        first.setdefault(move.order_id, move)
    if not first:
        return {}
    rows = [
        {"order_id": move.order_id, "status": move.to.value, "reason": move.reason}
        for move in first.values()
    ]
    allowed = {
        "allowed_from": [old.value for old, _ in ALLOWED],
        "allowed_to": [new.value for _, new in ALLOWED],
    }
    moved = session.scalars(MOVE_ORDERS, columns(rows) | allowed)
    return {order_id: first[order_id] for order_id in moved}


def lock_orders(session: Session, order_ids: Collection[UUID]) -> dict[UUID, Order]:
    if not order_ids:
        return {}
    rows = session.execute(LOCK_ORDERS, {"order_ids": list(order_ids)})
    return {row.order_id: Order(*row) for row in rows}


def closed_accounts(session: Session | Connection, user_ids: Collection[UUID]) -> set[UUID]:
    return set(session.scalars(CLOSED_ACCOUNTS, {"user_ids": list(user_ids)}))


def read_order(connection: Connection, user_id: UUID, order_id: UUID) -> Order | None:
    """That order of that user, if there is one.  Raises InvalidToken: the account is closed."""
    row = connection.execute(READ_ORDER, {"user_id": user_id, "order_id": order_id}).one()
    return next(iter(_of_open_account([row])), None)


def read_orders(
    connection: Connection, user_id: UUID, before: UUID | None, limit: int
) -> list[Order]:
    """The newest of a user's orders, placed before the order `before`.  Raises as read_order."""
    values = {"user_id": user_id, "before": before or NEWEST, "limit": limit}
    return _of_open_account(connection.execute(READ_ORDERS, values).all())


def product_facts(
    connection: Connection, product_ids: Collection[str]
) -> dict[str, ProductSnapshot]:
    rows = connection.execute(PRODUCT_FACTS, {"product_ids": list(product_ids)})
    return {row.product_id: ProductSnapshot(*row) for row in rows}


def remember_products(session: Session, facts: Sequence[Mapping[str, Any]]) -> None:
    """The newest known of each product; one of `facts` for a product."""
    if facts:
        session.execute(REMEMBER_PRODUCTS, columns(facts))


def close_accounts(session: Session, user_ids: Collection[UUID]) -> None:
    session.execute(CLOSE_ACCOUNTS, {"user_ids": list(user_ids)})


def columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """An array for each field of `rows`, which all have the same."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def require_open(is_closed: bool) -> None:
    if is_closed:
        raise InvalidToken("This account was closed.")


def _of_open_account(rows: Sequence[Row[Any]]) -> list[Order]:
    require_open(rows[0].is_closed)
    return [Order(*tuple(row)[1:]) for row in rows if row.order_id is not None]
