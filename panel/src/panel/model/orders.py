"""The last orders, as the topics tell of them.

An order is decided when order-service has committed the record of the decision, not when
catalog-service has published it: in between it is PENDING, and a dead order-service shows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ORDERS_KEPT = 50
PRODUCTS_KEPT = 500
PENDING, CONFIRMED, REJECTED, CANCELLED = "PENDING", "CONFIRMED", "REJECTED", "CANCELLED"
DECISIONS = {"stock.reserved": CONFIRMED, "stock.rejected": REJECTED}
LONGEST_TEXT = 100

Offset = tuple[str, int, int]


@dataclass(frozen=True)
class TopicRecord:
    """A record of a topic: `at` is when it was appended, in seconds since the epoch."""

    topic: str
    partition: int
    offset: int
    at: float
    key: str
    type: str
    data: Mapping[str, Any]
    trace_id: str = ""


@dataclass
class OrderEntry:
    """`decision` waits at `decided_by` until its reader has committed that record."""

    order_id: str
    user_id: str
    placed_at: str
    lines: list[dict[str, Any]]
    total: int
    degraded: bool
    trace_id: str
    published_at: float
    status: str = PENDING
    decision: str = ""
    decision_at: float | None = None
    decided_by: Offset | None = None
    stock_taken_at: str | None = None
    decided_at: float | None = None
    cancelled_at: str | None = None


@dataclass
class OrderBook:
    """At most `ORDERS_KEPT`, the newest."""

    entries: OrderedDict[str, OrderEntry] = field(default_factory=OrderedDict)
    product_names: OrderedDict[str, str] = field(default_factory=OrderedDict)

    def take(self, record: TopicRecord) -> None:
        """What comes again changes nothing; what is no event of ours is passed over."""
        if record.type == "order.placed":
            self._place(record)
        elif record.type == "product.changed":
            self._name(record.data)
        elif record.type in (*DECISIONS, "order.cancelled"):
            entry = self.entries.get(record.key)
            if entry is not None and record.type in DECISIONS:
                _decide(entry, record)
            elif entry is not None:
                entry.cancelled_at = _text(record.data.get("cancelledAt"))
                entry.status = CANCELLED

    def commit(self, committed: Mapping[tuple[str, int], int], at: float | None) -> bool:
        """Decide those whose decision its reader has behind it; False when there were none.

        `at` is when that was found; None for the past, where the decision's own time must do.
        """
        changed = False
        for entry in self.entries.values():
            if entry.decided_by is None:
                continue
            topic, partition, offset = entry.decided_by
            if committed.get((topic, partition), 0) > offset:
                entry.decided_by, changed = None, True
                entry.decided_at = entry.decision_at if at is None else at
                if entry.status == PENDING:
                    entry.status = entry.decision
        return changed

    @property
    def awaits_commit(self) -> bool:
        return any(entry.decided_by is not None for entry in self.entries.values())

    def newest_first(self) -> Iterable[OrderEntry]:
        return sorted(self.entries.values(), key=lambda entry: entry.placed_at, reverse=True)

    def _place(self, record: TopicRecord) -> None:
        data, lines = record.data, record.data.get("lines")
        order_id = _text(data.get("orderId"))
        if order_id is None or order_id in self.entries or not isinstance(lines, list):
            return
        self.entries[order_id] = OrderEntry(
            order_id=order_id,
            user_id=_text(data.get("userId")) or "",
            placed_at=_text(data.get("placedAt")) or "",
            lines=[_line(line) for line in lines if isinstance(line, dict)],
            total=_whole(data.get("totalPrice")),
            degraded=bool(data.get("degraded")),
            trace_id=record.trace_id,
            published_at=record.at,
        )
        while len(self.entries) > ORDERS_KEPT:
            oldest = min(self.entries.values(), key=lambda entry: entry.placed_at)
            del self.entries[oldest.order_id]

    def _name(self, data: Mapping[str, Any]) -> None:
        product, name = _text(data.get("productId")), _text(data.get("productName"))
        if product and name:
            self.product_names[product] = name
            self.product_names.move_to_end(product)
            while len(self.product_names) > PRODUCTS_KEPT:
                self.product_names.popitem(last=False)


def _decide(entry: OrderEntry, record: TopicRecord) -> None:
    if entry.decision:
        return
    entry.decision = DECISIONS[record.type]
    entry.decision_at = record.at
    entry.decided_by = (record.topic, record.partition, record.offset)
    entry.stock_taken_at = _text(record.data.get("reservedAt") or record.data.get("rejectedAt"))


def _line(line: Mapping[str, Any]) -> dict[str, Any]:
    return {"productId": _text(line.get("productId")), "qty": _whole(line.get("qty"))}


def _text(value: object) -> str | None:
    """Customers write what they like; as much as there is room for."""
    return value[:LONGEST_TEXT] if isinstance(value, str) else None


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
