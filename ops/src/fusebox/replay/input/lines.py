"""Order lines out of rows of text, and every kind of defect counted by its name."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from fusebox.replay.input import spellings
from fusebox.replay.input.rows import GARBLED, CsvRow
from fusebox.replay.input.spellings import DateOrder, Spelling

# What a single line of an order may ask for, and a price in pence, as the shop's contract has it.
MOST_PIECES = 1_000_000
HIGHEST_PRICE = 1_000_000_000
WHOLE = re.compile(r"(-?\d{1,12})(?:\.0*)?", re.ASCII)
DECIMAL = re.compile(r"-?(?:\d{1,12}(?:\.\d{0,20})?|\.\d{1,20})", re.ASCII)
# Of an example, in characters.
MOST_SHOWN = 100
CODE = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,39}")
# Postage, discounts, bank charges and the like have stock codes too.
ADJUSTMENTS = frozenset(
    ("POST", "D", "M", "DOT", "C2", "S", "B", "CRUK", "PADS", "AMAZONFEE", "BANK CHARGES")
)


class LeftOut(StrEnum):
    """Why a line is not played."""

    GARBLED = "more or fewer fields than the first line has names"
    NO_INVOICE = "invoice number missing"
    UNREADABLE_DATE = "date unreadable"
    UNREADABLE_NUMBER = "quantity or price unreadable"
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
    """How many lines were read, and what was wrong with which; the rest is played.

    `examples` has the first line that was left out for each reason.
    """

    read: int = 0
    left_out: Counter[LeftOut] = field(default_factory=Counter)
    corrected: Counter[Corrected] = field(default_factory=Counter)
    examples: dict[LeftOut, str] = field(default_factory=dict)

    @property
    def played(self) -> int:
        return self.read - self.left_out.total()

    def leave_out(self, why: LeftOut, row: CsvRow) -> None:
        """The row that was read last."""
        self.left_out[why] += 1
        shown = "" if row == GARBLED else f": {','.join(row)[:MOST_SHOWN]}"
        self.examples.setdefault(why, f"row {self.read}{shown}")


class InvalidLine(Exception):
    def __init__(self, why: LeftOut) -> None:
        super().__init__(why)
        self.why = why


def parse_lines(
    rows: Iterable[CsvRow],
    ledger: Ledger,
    delimiter: str = ",",
    date_order: DateOrder | None = None,
) -> list[InvoiceLine]:
    """The lines that can be played; what cannot is counted in `ledger`.

    Raises AmbiguousDates unless the rows or `date_order` say how dates are to be read.
    """
    rows = list(rows)
    spelling = spellings.of_file(
        (row.date for row in rows), (row.price for row in rows), delimiter, date_order
    )
    lines: list[InvoiceLine] = []
    earlier: set[CsvRow] = set()
    for row in rows:
        ledger.read += 1
        try:
            line = parse(row, spelling)
            if row in earlier:
                raise InvalidLine(LeftOut.DUPLICATE)
            earlier.add(row)
            lines.append(line)
        except InvalidLine as invalid:
            ledger.leave_out(invalid.why, row)
    return lines


def parse(row: CsvRow, spelling: Spelling) -> InvoiceLine:
    """Raises InvalidLine with the first reason against `row`."""
    if row == GARBLED:
        raise InvalidLine(LeftOut.GARBLED)
    invoice, at = row.invoice.strip(), _date(row, spelling)
    quantity, price = _whole(row, spelling), _pence(row, spelling)
    if not invoice:
        raise InvalidLine(LeftOut.NO_INVOICE)
    customer = row.customer.strip().removesuffix(".0").removesuffix(",0")
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


def _date(row: CsvRow, spelling: Spelling) -> datetime:
    try:
        return spelling.date(row.date)
    except ValueError:
        raise InvalidLine(LeftOut.UNREADABLE_DATE) from None


def _whole(row: CsvRow, spelling: Spelling) -> int:
    match = WHOLE.fullmatch(_number(row.quantity, spelling))
    if match is None:
        raise InvalidLine(LeftOut.UNREADABLE_NUMBER)
    return int(match[1])


def _pence(row: CsvRow, spelling: Spelling) -> int:
    text = _number(row.price, spelling)
    if DECIMAL.fullmatch(text) is None:
        raise InvalidLine(LeftOut.UNREADABLE_NUMBER)
    return int((Decimal(text) * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _number(text: str, spelling: Spelling) -> str:
    try:
        return spelling.number(text)
    except ValueError:
        raise InvalidLine(LeftOut.UNREADABLE_NUMBER) from None


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
