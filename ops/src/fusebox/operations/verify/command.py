"""`verify`: reads the stores of a live shop, waits for what is on its way, and judges."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import SERVICES, TOPICS
from fusebox.network import kafka_admin, postgres_probe
from fusebox.operations.verify.invariants import (
    Finding,
    Reading,
    StoredOrder,
    StoredProduct,
    examine,
)
from fusebox.runtime import remote

if TYPE_CHECKING:
    from psycopg import Connection

SETTLE_SECONDS = 10.0
PAUSE_SECONDS = 0.25
# Which topic carries an order's event to whom.
CARRIERS = ("orders", "catalog")
WAYS = tuple(
    (topic.name, reader) for topic in TOPICS if topic.name in CARRIERS for reader in topic.read_by
)


def verify(stack: Stack) -> list[Finding]:
    """Each invariant; broken is what stayed broken through every reading until the end."""
    return remote.run(stack, _verify)


def _verify(stack: Stack) -> list[Finding]:
    findings = settle(lambda: examine(read(stack)), SETTLE_SECONDS)
    return [_excused(stack, finding) for finding in findings]


def settle(look: Callable[[], list[Finding]], seconds: float) -> list[Finding]:
    """Look until all holds; an offender counts only when every look has met it."""
    end = time.monotonic() + seconds
    findings = look()
    while not all(finding.holds for finding in findings) and time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
        findings = [
            replace(new, offenders=new.offenders & old.offenders)
            for old, new in zip(findings, look(), strict=True)
        ]
    return findings


def _excused(stack: Stack, finding: Finding) -> Finding:
    """Undecided orders are excused as far as their events wait in Kafka for a consumer."""
    if finding.holds or not finding.name.startswith("every order decided"):
        return finding
    if not kafka_admin.answers(*stack.address("kafka")):
        return replace(finding, figures={**finding.figures, "in Kafka": "it does not answer"})
    waiting = {topic: kafka_admin.unread(stack, topic, group) for topic, group in WAYS}
    figures = {**finding.figures, "undecided": len(finding.offenders)}
    figures |= {f"waiting in {topic}": count for topic, count in waiting.items()}
    if len(finding.offenders) <= sum(waiting.values()):
        return replace(finding, figures=figures, offenders=frozenset())
    return replace(finding, figures=figures)


def read(stack: Stack) -> Reading:
    """Catalog's store first: what it has reserved, an order must then stand behind."""
    return remote.run(stack, _read)


def _read(stack: Stack) -> Reading:
    import psycopg

    try:
        with _snapshot(stack, "catalog_service") as catalog:
            products = [StoredProduct(*row) for row in _rows(catalog, PRODUCTS)]
            reservations = {
                str(row[0]): StoredOrder(*row[1:]) for row in _rows(catalog, RESERVATIONS)
            }
        with _snapshot(stack, "order_service") as order:
            orders = {str(row[0]): StoredOrder(*row[1:]) for row in _rows(order, ORDERS)}
        return Reading(products, reservations, orders, _outboxes(stack))
    except (psycopg.Error, FileNotFoundError) as error:
        first_line = str(error).partition("\n")[0] or type(error).__name__
        raise Fault(
            f"the stores cannot be read: {first_line}",
            remedy="see `make status`; PostgreSQL has to run and to have been prepared.",
        ) from error


PRODUCTS = "SELECT product_id, initial_stock, added_stock, stock FROM products ORDER BY product_id"
RESERVATIONS = "SELECT order_id, status, lines FROM reservations"
ORDERS = "SELECT order_id, status, lines FROM orders"
OUTBOX = "SELECT position, key FROM outbox"


def _outboxes(stack: Stack) -> dict[str, list[tuple[int, str]]]:
    outboxes = {}
    for service in SERVICES:
        with _snapshot(stack, service.module) as connection:
            rows = cast("list[tuple[int, str]]", _rows(connection, OUTBOX))
            outboxes[service.name] = rows
    return outboxes


def _snapshot(stack: Stack, database: str) -> Connection[tuple[object, ...]]:
    """A connection that cannot write, all its queries seeing one moment."""
    import psycopg

    connection = postgres_probe.connect(stack, database)
    connection.autocommit = False
    connection.read_only = True
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def _rows(connection: Connection[tuple[object, ...]], query: str) -> list[tuple[Any, ...]]:
    return connection.execute(query.encode()).fetchall()
