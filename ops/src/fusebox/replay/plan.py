"""What is to be played: products with their stock, and the actions of every customer in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fusebox.replay.input.lines import MOST_PIECES, Corrected, InvoiceLine, Ledger, LeftOut

# What an order may hold, and how much of a product there may be, as the contract has it.
MOST_LINES = 100
HIGHEST_STOCK = 1_000_000_000
# The share of what is asked for that is in stock: the last buyers meet `out-of-stock`.
STOCK_PERCENT = 90

Quantities = Mapping[str, int]


@dataclass(frozen=True)
class PlannedProduct:
    code: str
    name: str
    price: int
    stock: int


@dataclass(frozen=True)
class PlannedOrder:
    """An invoice, or a part of one that is too long; `number` is its own in the plan."""

    number: int
    customer: str
    at: datetime
    quantities: Quantities


@dataclass(frozen=True)
class PlannedCancellation:
    """Of the order with the number `order`."""

    order: int
    customer: str
    at: datetime


PlannedAction = PlannedOrder | PlannedCancellation


@dataclass(frozen=True)
class ReplayPlan:
    products: dict[str, PlannedProduct]
    actions: list[PlannedAction]

    @property
    def orders(self) -> list[PlannedOrder]:
        return [action for action in self.actions if isinstance(action, PlannedOrder)]

    @property
    def customers(self) -> list[str]:
        """All of them once, in the order of their first actions."""
        return list(dict.fromkeys(action.customer for action in self.actions))


def make_plan(lines: Iterable[InvoiceLine], ledger: Ledger) -> ReplayPlan:
    """The plan that `lines` make; `ledger` counts what had to be left out or corrected."""
    invoices: defaultdict[tuple[str, str], list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        invoices[line.invoice, line.customer].append(line)
    in_time = sorted(invoices.values(), key=lambda invoice: (invoice[0].at, invoice[0].cancels))
    planner = _Planner(ledger)
    for invoice in in_time:
        planner.cancel(invoice) if invoice[0].cancels else planner.order(invoice)
    return ReplayPlan(_products(planner.ordered, planner.actions, ledger), planner.actions)


class _Planner:
    """Goes through the invoices in time and keeps what a customer could still cancel."""

    def __init__(self, ledger: Ledger) -> None:
        self.actions: list[PlannedAction] = []
        self.ordered: list[InvoiceLine] = []
        self._ledger = ledger
        self._open: defaultdict[str, list[PlannedOrder]] = defaultdict(list)

    def order(self, invoice: list[InvoiceLine]) -> None:
        self.ordered += invoice
        first = invoice[0]
        for quantities in split_into_orders(invoice):
            order = PlannedOrder(len(self.actions), first.customer, first.at, quantities)
            self.actions.append(order)
            self._open[first.customer].append(order)

    def cancel(self, invoice: list[InvoiceLine]) -> None:
        """The shop cancels whole orders: the latest that has all these products is meant."""
        first = invoice[0]
        given_back = Counter[str]()
        for line in invoice:
            given_back[line.code] += line.pieces
        still_open = self._open[first.customer]
        meant = next(
            (o for o in reversed(still_open) if given_back.keys() <= o.quantities.keys()), None
        )
        if meant is None:
            self._ledger.left_out[LeftOut.NO_ORDER] += len(invoice)
            return
        still_open.remove(meant)
        self.actions.append(PlannedCancellation(meant.number, first.customer, first.at))
        if given_back != meant.quantities:
            self._ledger.corrected[Corrected.PART_CANCELLED] += len(invoice)


def split_into_orders(invoice: Iterable[InvoiceLine]) -> list[dict[str, int]]:
    """The quantities of an invoice, in as few orders as the contract's limits allow."""
    orders: list[dict[str, int]] = [{}]
    for line in invoice:
        pieces = orders[-1].get(line.code, 0) + line.pieces
        is_full = line.code not in orders[-1] and len(orders[-1]) == MOST_LINES
        if is_full or pieces > MOST_PIECES:
            orders.append({})
            pieces = line.pieces
        orders[-1][line.code] = pieces
    return orders


def _products(
    ordered: list[InvoiceLine], actions: Iterable[PlannedAction], ledger: Ledger
) -> dict[str, PlannedProduct]:
    of_code: defaultdict[str, list[InvoiceLine]] = defaultdict(list)
    for line in ordered:
        of_code[line.code].append(line)
    stocks = stocks_for(order.quantities for order in actions if isinstance(order, PlannedOrder))
    return {
        code: _product(code, lines, stocks[code], ledger) for code, lines in sorted(of_code.items())
    }


def stocks_for(orders: Iterable[Quantities]) -> dict[str, int]:
    """By product, nine tenths of what is asked for, but at least its largest order."""
    pieces_by_code: defaultdict[str, list[int]] = defaultdict(list)
    for quantities in orders:
        for code, pieces in quantities.items():
            pieces_by_code[code].append(pieces)
    return {
        code: min(max(-(-sum(pieces) * STOCK_PERCENT // 100), *pieces), HIGHEST_STOCK)
        for code, pieces in pieces_by_code.items()
    }


def _product(code: str, lines: list[InvoiceLine], stock: int, ledger: Ledger) -> PlannedProduct:
    prices = Counter(line.price for line in lines)
    names = Counter(line.name for line in lines if line.name)
    price, as_usual = prices.most_common(1)[0]
    name, named_so = names.most_common(1)[0] if names else (code, 0)
    ledger.corrected[Corrected.OTHER_PRICE] += len(lines) - as_usual
    ledger.corrected[Corrected.OTHER_NAME] += names.total() - named_so
    ledger.corrected[Corrected.NO_DESCRIPTION] += len(lines) - names.total()
    return PlannedProduct(code, name, price, stock)
