"""Order lines out of rows of text, and every kind of defect counted by its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from functools import lru_cache

from fusebox.replay.input.rows import CsvRow

# What a single line of an order may ask for, and a price in pence, as the shop's contract has it.
MOST_PIECES = 1_000_000
HIGHEST_PRICE = 1_000_000_000
WHOLE = re.compile(r"(-?\d{1,12})(?:\.0*)?")
DECIMAL = re.compile(r"-?\d{1,12}(?:\.\d{1,12})?")
CODE = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,39}")
# Postage, discounts, bank charges and the like have stock codes too.
ADJUSTMENTS = frozenset(
    ("POST", "D", "M", "DOT", "C2", "S", "B", "CRUK", "PADS", "AMAZONFEE", "BANK CHARGES")
)
DATE_OF_UCI = "%m/%d/%Y %H:%M"


class LeftOut(StrEnum):
    """Why a line is not played."""

    UNREADABLE = "fields missing, or a number or date unreadable"
    DUPLICATE = "the same line once more"
    NO_CUSTOMER = "customer missing"
    NO_CODE = "stock code missing or unusable"
    ADJUSTMENT = "no product but an adjustment (POST, M, D, …)"
    NO_QUANTITY = "quantity zero or negative, and no cancellation"
    NOT_NEGATIVE = "quantity of a cancellation not negative"
    TOO_MANY = f"more than {MOST_PIECES:,} pieces"
    NO_PRICE = "price zero or negative"
    TOO_DEAR = "price beyond what the shop takes"
    NO_ORDER = "cancellation without an earlier order"


class Corrected(StrEnum):
    """What is wrong with a line that is played all the same, and what was done."""

    NO_DESCRIPTION = "description missing: named by other lines, or by its code"
    OTHER_NAME = "another description than the product's most frequent: that one is taken"
    OTHER_PRICE = "another price than the product's most frequent: sold at that one"
    PART_CANCELLED = "cancellation of a part: the whole order is cancelled"


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """So many pieces of a product, ordered or given back; `price` in pence."""

    invoice: str
    cancels: bool
    customer: str
    code: str
    name: str
    pieces: int
    price: int
    at: datetime


@dataclass
class Ledger:
    """How many lines were read, and what was wrong with which; the rest is played."""

    read: int = 0
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    corrected: Counter[Corrected] = field(default_factory=Counter)

    @property
    def played(self) -> int:
        return self.read - self.left_out.total()


class InvalidLine(Exception):
    def __init__(self, why: LeftOut) -> None:
        super().__init__(why)
        self.why = why


def parse_lines(rows: Iterable[CsvRow], ledger: Ledger) -> list[InvoiceLine]:
    """The lines that can be played; what cannot is counted in `ledger`."""
    lines: list[InvoiceLine] = []
    earlier: set[CsvRow] = set()
    for row in rows:
        ledger.read += 1
        try:
            line = parse(row)
            if row in earlier:
                raise InvalidLine(LeftOut.DUPLICATE)
            earlier.add(row)
            lines.append(line)
        except InvalidLine as invalid:
            ledger.left_out[invalid.why] += 1
    return lines


def parse(row: CsvRow) -> InvoiceLine:
    """Raises InvalidLine with the first reason against `row`."""
    invoice, at, quantity, price = row.invoice.strip(), _date(row.date), _whole(row), _pence(row)
    if not invoice:
        raise InvalidLine(LeftOut.UNREADABLE)
    customer = row.customer.strip().removesuffix(".0")
    if not customer:
        raise InvalidLine(LeftOut.NO_CUSTOMER)
    cancels = invoice[0] in "Cc"
    return InvoiceLine(
        invoice=invoice,
        cancels=cancels,
        customer=customer,
        code=_code(row),
        name=_name(row),
        pieces=_pieces(quantity, cancels),
        price=_checked_price(price),
        at=at,
    )


@lru_cache(maxsize=4096)  # the lines of an invoice have one date
def _date(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text.strip()).replace(tzinfo=None)
    except ValueError:
        pass
    try:
        return datetime.strptime(text.strip(), DATE_OF_UCI)
    except ValueError:
        raise InvalidLine(LeftOut.UNREADABLE) from None


def _whole(row: CsvRow) -> int:
    match = WHOLE.fullmatch(row.quantity.strip())
    if match is None:
        raise InvalidLine(LeftOut.UNREADABLE)
    return int(match[1])


def _pence(row: CsvRow) -> int:
    text = row.price.strip()
    if DECIMAL.fullmatch(text) is None:
        raise InvalidLine(LeftOut.UNREADABLE)
    return int((Decimal(text) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _code(row: CsvRow) -> str:
    code = row.code.strip().upper()  # 85123a is 85123A, typed in a hurry
    if code in ADJUSTMENTS:
        raise InvalidLine(LeftOut.ADJUSTMENT)
    if CODE.fullmatch(code) is None:
        raise InvalidLine(LeftOut.NO_CODE)
    return code


def _name(row: CsvRow) -> str:
    words = " ".join(row.description.split())
    return "".join(character for character in words if character.isprintable())[:200]


def _pieces(quantity: int, cancels: bool) -> int:
    pieces = -quantity if cancels else quantity
    if pieces <= 0:
        raise InvalidLine(LeftOut.NOT_NEGATIVE if cancels else LeftOut.NO_QUANTITY)
    if pieces > MOST_PIECES:
        raise InvalidLine(LeftOut.TOO_MANY)
    return pieces


def _checked_price(price: int) -> int:
    if price <= 0:
        raise InvalidLine(LeftOut.NO_PRICE)
    if price > HIGHEST_PRICE:
        raise InvalidLine(LeftOut.TOO_DEAR)
    return price
