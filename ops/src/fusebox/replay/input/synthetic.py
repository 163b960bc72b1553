"""Synthetic invoices, randomly generated with a fixed seed: the same every time."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate

from fusebox.replay.input.rows import CsvRow

SEED = 2011
FIRST_DAY = datetime(2011, 1, 3, 8)
SECONDS_BETWEEN = 60
INVOICES_A_CUSTOMER = 10
INVOICES_A_PRODUCT = 10
MOST_PRODUCTS = 1000
CANCELLING = 0.04
DEFECTIVE = 0.03
# Dozens and half dozens are what wholesalers take.
QUANTITIES = (1, 1, 2, 2, 3, 4, 6, 6, 12, 12, 24)
REMEMBERED = 200


def rows(invoices: int, seed: int = SEED) -> Iterator[CsvRow]:
    """The lines of so many invoices, defective lines and cancellations among them."""
    return _InvoiceGenerator(invoices, random.Random(seed)).rows()


class _InvoiceGenerator:
    def __init__(self, invoices: int, chance: random.Random) -> None:
        self._chance = chance
        self._numbers = range(500_000, 500_000 + invoices)
        count = min(max(invoices // INVOICES_A_PRODUCT, 10), MOST_PRODUCTS)
        self._codes = [f"{10_000 + number}" for number in range(count)]
        self._prices = [f"{chance.randint(20, 1500) / 100:.2f}" for _ in self._codes]
        self._weights = _skewed(count)
        self._customers = [f"{12_000 + n}" for n in range(max(invoices // INVOICES_A_CUSTOMER, 1))]
        self._loyalty = _skewed(len(self._customers))
        self._past: deque[list[CsvRow]] = deque(maxlen=REMEMBERED)

    def rows(self) -> Iterator[CsvRow]:
        at = FIRST_DAY
        for number in self._numbers:
            at += timedelta(seconds=round(self._chance.expovariate(1 / SECONDS_BETWEEN)))
            if self._past and self._chance.random() < CANCELLING:
                yield from self._cancellation(number, at)
            else:
                yield from self._order(number, at)

    def _order(self, number: int, at: datetime) -> list[CsvRow]:
        (customer,) = self._chance.choices(self._customers, cum_weights=self._loyalty)
        lines = min(1 + int(self._chance.expovariate(1 / 2)), 12)
        indices = self._chance.choices(range(len(self._codes)), cum_weights=self._weights, k=lines)
        made = [self._line(number, at, customer, index) for index in indices]
        self._past.append(made)
        return [self._with_defects(row) for row in made]

    def _cancellation(self, number: int, at: datetime) -> list[CsvRow]:
        """Of an order some time ago, which may have been cancelled already."""
        order = self._chance.choice(self._past)
        return [
            row._replace(invoice=f"C{number}", date=str(at), quantity=f"-{row.quantity}")
            for row in order
        ]

    def _line(self, number: int, at: datetime, customer: str, place: int) -> CsvRow:
        return CsvRow(
            invoice=str(number),
            code=self._codes[place],
            description=f"SYNTHETIC ARTICLE {place + 1}",
            quantity=str(self._chance.choice(QUANTITIES)),
            date=str(at),
            price=self._prices[place],
            customer=customer,
        )

    def _with_defects(self, row: CsvRow) -> CsvRow:
        if self._chance.random() >= DEFECTIVE:
            return row
        defects = (
            row._replace(customer=""),
            row._replace(price="0.0"),
            row._replace(quantity=f"-{row.quantity}"),
            row._replace(quantity="a dozen"),
            row._replace(description=""),
            row._replace(code="POST"),
        )
        return self._chance.choice(defects)


def _skewed(count: int) -> list[float]:
    """Cumulated weights by which the n-th of `count` is chosen 1/n as often as the first."""
    return list(accumulate(1 / rank for rank in range(1, count + 1)))
