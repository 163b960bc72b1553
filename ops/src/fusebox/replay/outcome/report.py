"""The report of a replay, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from fusebox.replay.outcome.reconciliation import Difference

SHOWN = 10
# Names in the JSON that differ from the field's: programs know them from the first version.
JSON_NAMES = {"actual": "found", "corrected": "mended"}


@dataclass(frozen=True)
class LineCounts:
    """Of the file: `read` = `played` + all that were left out, with an example by reason."""

    read: int
    played: int
    left_out: dict[str, int]
    corrected: dict[str, int]
    examples: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OrderCounts:
    """`wanted` = `placed` + `refused`; `placed` = the five that follow it."""

    wanted: int
    refused: int
    placed: int
    confirmed: int
    rejected: int
    cancelled: int
    undecided: int
    lost: list[str]
    doubled: list[str]
    degraded: int


@dataclass(frozen=True)
class CancellationCounts:
    accepted: int
    too_late: int
    never_placed: int


@dataclass(frozen=True)
class Pace:
    """Of placing alone: the seconds from the first order to the last, and the answers' times."""

    seconds: float
    orders_a_second: float
    p50_ms: float
    p99_ms: float
    retried: int


@dataclass(frozen=True)
class Stocks:
    """In pieces, and product by product where the shop's stock is not the expected one."""

    products: int
    at_first: int
    expected: int
    actual: int
    differences: list[Difference]


@dataclass(frozen=True)
class Report:
    source: str
    run: str
    customers: int
    lines: LineCounts
    orders: OrderCounts
    cancellations: CancellationCounts
    pace: Pace
    stocks: Stocks

    @property
    def reconciled(self) -> bool:
        return not self.faults()

    def faults(self) -> list[str]:
        """What does not reconcile; empty when all does."""
        orders, stocks = self.orders, self.stocks
        faults = [
            _some(orders.undecided, "orders are undecided"),
            _some(len(orders.lost), "orders were accepted and are gone", orders.lost),
            _some(len(orders.doubled), "orders were placed twice", orders.doubled),
            *map(_difference, stocks.differences[:SHOWN]),
            _some(len(stocks.differences) - SHOWN, "more products differ"),
        ]
        return [fault for fault in faults if fault]

    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = _camel(asdict(self))
        return {"reconciled": self.reconciled, **document}

    def text(self) -> str:
        blocks = (self._lines(), self._orders(), self._pace(), self._stocks())
        title = f"Replayed {self.source}; the products are named RPL-{self.run}-…"
        return "\n".join([title, *(line for block in blocks for line in block)])

    def _lines(self) -> list[str]:
        lines = self.lines
        out = lines.read - lines.played
        return [
            f"lines      {lines.read:,} read, {lines.played:,} played, {out:,} left out",
            *_counts(lines.left_out, lines.examples),
            f"           {sum(lines.corrected.values()):,} corrections of lines that were played",
            *_counts(lines.corrected, {}),
        ]

    def _orders(self) -> list[str]:
        orders, cancellations = self.orders, self.cancellations
        return [
            f"orders     {orders.wanted:,} wanted by {self.customers:,} customers: "
            f"{orders.placed:,} placed, {orders.refused:,} refused (out of stock)",
            f"           {orders.confirmed:,} confirmed, {orders.rejected:,} rejected, "
            f"{orders.cancelled:,} cancelled, {orders.undecided:,} undecided; "
            f"{orders.degraded:,} were accepted while a service was away (degraded)",
            f"           cancellations: {cancellations.accepted:,} accepted, "
            f"{cancellations.too_late:,} too late, "
            f"{cancellations.never_placed:,} of an order that was refused",
        ]

    def _pace(self) -> list[str]:
        pace = self.pace
        return [
            f"pace       {pace.orders_a_second:.1f} orders a second in {pace.seconds:.1f} s, "
            f"placing p50 {pace.p50_ms:.0f} ms, p99 {pace.p99_ms:.0f} ms; "
            f"{pace.retried:,} requests repeated",
        ]

    def _stocks(self) -> list[str]:
        stocks, faults = self.stocks, self.faults()
        lines = [
            f"stocks     {stocks.products:,} products, {stocks.at_first:,} pieces at first, "
            f"{stocks.expected:,} expected now, {stocks.actual:,} found",
            *(f"           ! {fault}" for fault in faults),
        ]
        return [*lines, "NOT reconciled." if faults else "Reconciled to the last piece."]


def _counts(counts: Mapping[str, int], examples: Mapping[str, str]) -> list[str]:
    return [
        f"           {count:>9,}  {what}" + (f" ({examples[what]})" if what in examples else "")
        for what, count in counts.items()
    ]


def _some(count: int, what: str, which: list[str] | None = None) -> str:
    named = f": {', '.join(which[:SHOWN])}" if which else ""
    return f"{count:,} {what}{named}" if count > 0 else ""


def _difference(difference: Difference) -> str:
    actual = "is not there" if difference.actual is None else f"has {difference.actual:,}"
    return f"{difference.product} {actual}, expected {difference.expected:,}"


def _camel(value: Any) -> Any:
    """Names of fields as in the shop's API; the kinds of defects, sentences, stay as they are."""
    if isinstance(value, dict):
        return {_camel_name(name): _camel(field) for name, field in value.items()}
    if isinstance(value, list):
        return [_camel(item) for item in value]
    return value


def _camel_name(name: str) -> str:
    first, *others = JSON_NAMES.get(name, name).split("_")
    return first + "".join(other.title() for other in others)
