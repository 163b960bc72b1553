"""A file of the Online Retail format, plain or .gz, as rows of text."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fusebox.core.errors import Fault

DELIMITERS = (",", ";", "\t", "|")
GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
# The columns of a CsvRow by their names in Online Retail and Online Retail II.
NAMES = {
    "invoice": ("InvoiceNo", "Invoice"),
    "code": ("StockCode",),
    "description": ("Description",),
    "quantity": ("Quantity",),
    "date": ("InvoiceDate",),
    "price": ("UnitPrice", "Price"),
    "customer": ("CustomerID", "Customer ID"),
}
REMEDY = (
    "give a CSV file, plain or .gz, with the columns "
    f"{', '.join(names[0] for names in NAMES.values())}."
)


class CsvRow(NamedTuple):
    """One line of the file, as it stands there."""

    invoice: str
    code: str
    description: str
    quantity: str
    date: str
    price: str
    customer: str


# Stands for a line with too few or too many fields: nobody can tell which is which.
GARBLED = CsvRow("", "", "", "", "", "", "")


class Table(NamedTuple):
    """`delimiter` stands between the fields of the file."""

    delimiter: str
    rows: Iterator[CsvRow]


def rows(path: Path) -> Iterator[CsvRow]:
    """The rows of the file at `path`.  Raises Fault when it is none of this format."""
    return table(path).rows


def table(path: Path) -> Table:
    """As `rows`."""
    text = _text(path)
    if not text.strip():
        raise _fault("the file is empty", path)
    # Excel may say in a line of its own what stands between the fields.
    text = re.sub(r"\A\s*\"?sep=(.)\"?\s*\r?\n", "", text)
    delimiter = _delimiter(text.lstrip().partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = _columns(next(reader), path)
    except csv.Error as error:
        raise _fault(f"line {reader.line_num} is no CSV: {error}", path) from error
    return Table(delimiter, _rows(reader, columns, path))


def _rows(reader: Any, columns: _Columns, path: Path) -> Iterator[CsvRow]:
    try:
        for fields in reader:
            if any(fields):
                complete = len(fields) == columns.width
                yield CsvRow(*(fields[i] for i in columns.order)) if complete else GARBLED
    except csv.Error as error:
        raise _fault(f"line {reader.line_num} is no CSV: {error}", path) from error


def _delimiter(header: str) -> str:
    """The one at which the first line falls into most of the names that are looked for."""

    def names(delimiter: str) -> int:
        fields = {_plain(name.strip('"')) for name in header.strip().split(delimiter)}
        return sum(any(_plain(name) in fields for name in known) for known in NAMES.values())

    return max(DELIMITERS, key=names)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        if content.startswith(GZIP) or path.suffix == ".gz":
            content = gzip.decompress(content)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise _fault(f"the file cannot be unpacked: {error}", path) from error
    except OSError as error:
        raise _fault(f"the file cannot be read: {error.strerror or error}", path) from error
    if content.startswith(ZIP):
        raise _fault("the file is a workbook or a ZIP archive", path)
    return _decoded(content)


def _decoded(content: bytes) -> str:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")  # which takes any byte


class _Columns(NamedTuple):
    width: int
    order: list[int]


def _columns(header: Sequence[str], path: Path) -> _Columns:
    """Where the fields of a CsvRow stand."""
    positions = {_plain(name): position for position, name in enumerate(header)}
    order, missing = [], []
    for names in NAMES.values():
        known = (positions[_plain(name)] for name in names if _plain(name) in positions)
        position = next(known, None)
        if position is None:
            missing.append(names[0])
        else:
            order.append(position)
    if missing:
        raise _fault(f"the file's first line names no {', '.join(missing)}", path)
    return _Columns(len(header), order)


def _plain(name: str) -> str:
    return re.sub(r"[\s_]", "", name).lower()


def _fault(what: str, path: Path) -> Fault:
    return Fault(what, where=f"It is {path}.", remedy=REMEDY, exit_code=2)
