"""What is to be played: the products with their stock, and each customer's acts in their order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fusebox.replay.input.lines import MOST_PIECES, Ledger, LeftOut, Line, Mended

# What an order may hold, and how much of a product there may be, as the contract has it.
MOST_LINES = 100
HIGHEST_STOCK = 1_000_000_000
# The share of what is asked for that is there: the last buyers stand before an empty shelf.
STOCK_PERCENT = 90

Quantities = Mapping[str, int]


@dataclass(frozen=True)
class Product:
    code: str
    name: str
    price: int
    stock: int


@dataclass(frozen=True)
class Order:
    """An invoice, or a part of one that is too long; `number` is its own in the script."""

    number: int
    customer: str
    at: datetime
    quantities: Quantities


@dataclass(frozen=True)
class Cancellation:
    """Of the order with the number `order`."""

    order: int
    customer: str
    at: datetime


Act = Order | Cancellation


@dataclass(frozen=True)
class Script:
    products: dict[str, Product]
    acts: list[Act]

    @property
    def orders(self) -> list[Order]:
        return [act for act in self.acts if isinstance(act, Order)]

    @property
    def customers(self) -> list[str]:
        """Each once, in the order of their first acts."""
        return list(dict.fromkeys(act.customer for act in self.acts))


def write(lines: Iterable[Line], ledger: Ledger) -> Script:
    """The script that `lines` make; `ledger` counts what had to be left out or mended."""
    invoices: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in lines:
        invoices[line.invoice, line.customer].append(line)
    in_time = sorted(invoices.values(), key=lambda invoice: (invoice[0].at, invoice[0].cancels))
    writer = _Writer(ledger)
    for invoice in in_time:
        writer.cancel(invoice) if invoice[0].cancels else writer.order(invoice)
    return Script(_products(writer.ordered, writer.acts, ledger), writer.acts)


class _Writer:
    """Goes through the invoices in time and keeps what a customer could still cancel."""

    def __init__(self, ledger: Ledger) -> None:
        self.acts: list[Act] = []
        self.ordered: list[Line] = []
        self._ledger = ledger
        self._open: defaultdict[str, list[Order]] = defaultdict(list)

    def order(self, invoice: list[Line]) -> None:
        self.ordered += invoice
        first = invoice[0]
        for quantities in parts(invoice):
            order = Order(len(self.acts), first.customer, first.at, quantities)
            self.acts.append(order)
            self._open[first.customer].append(order)

    def cancel(self, invoice: list[Line]) -> None:
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
        self.acts.append(Cancellation(meant.number, first.customer, first.at))
        if given_back != meant.quantities:
            self._ledger.mended[Mended.PART_CANCELLED] += len(invoice)


def parts(invoice: Iterable[Line]) -> list[dict[str, int]]:
    """The quantities of an invoice, in as few orders as the contract's limits allow."""
    found: list[dict[str, int]] = [{}]
    for line in invoice:
        pieces = found[-1].get(line.code, 0) + line.pieces
        is_full = line.code not in found[-1] and len(found[-1]) == MOST_LINES
        if is_full or pieces > MOST_PIECES:
            found.append({})
            pieces = line.pieces
        found[-1][line.code] = pieces
    return found


def _products(ordered: list[Line], acts: Iterable[Act], ledger: Ledger) -> dict[str, Product]:
    of_code: defaultdict[str, list[Line]] = defaultdict(list)
    for line in ordered:
        of_code[line.code].append(line)
    stocks = stocks_for([act.quantities for act in acts if isinstance(act, Order)])
    return {
        code: _product(code, lines, stocks[code], ledger) for code, lines in sorted(of_code.items())
    }


def stocks_for(orders: Iterable[Quantities]) -> dict[str, int]:
    """Nine tenths of what is asked for of each product, but its largest order at least."""
    asked: defaultdict[str, list[int]] = defaultdict(list)
    for quantities in orders:
        for code, pieces in quantities.items():
            asked[code].append(pieces)
    return {
        code: min(max(-(-sum(pieces) * STOCK_PERCENT // 100), *pieces), HIGHEST_STOCK)
        for code, pieces in asked.items()
    }


def _product(code: str, lines: list[Line], stock: int, ledger: Ledger) -> Product:
    prices = Counter(line.price for line in lines)
    names = Counter(line.name for line in lines if line.name)
    price, as_usual = prices.most_common(1)[0]
    name, named_so = names.most_common(1)[0] if names else (code, 0)
    ledger.mended[Mended.OTHER_PRICE] += len(lines) - as_usual
    ledger.mended[Mended.OTHER_NAME] += names.total() - named_so
    ledger.mended[Mended.NO_DESCRIPTION] += len(lines) - names.total()
    return Product(code, name, price, stock)
