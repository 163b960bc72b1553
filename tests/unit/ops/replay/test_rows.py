"""Files that are read, and files that are refused with the reason."""

import gzip
from pathlib import Path

import pytest

from fusebox.core.errors import Fault
from fusebox.replay.input.rows import GARBLED, CsvRow, rows, table

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
LINE = '536365,85123A,"WHITE HEART, LARGE",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom'
READ = CsvRow(
    "536365", "85123A", "WHITE HEART, LARGE", "6", "2010-12-01 08:26:00", "2.55", "17850.0"
)


def written(folder: Path, content: bytes, name: str = "orders.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    assert list(rows(written(tmp_path, f"{HEADER}\n{LINE}\n".encode()))) == [READ]


def test_a_packed_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    packed = gzip.compress(f"{HEADER}\r\n{LINE}\r\n".encode())

    assert list(rows(written(tmp_path, packed, "orders.csv.gz"))) == [READ]
    assert list(rows(written(tmp_path, packed, "orders.csv"))) == [READ]


def test_the_second_data_sets_names_and_another_order_are_understood(tmp_path: Path) -> None:
    header = "\ufeffCustomer ID,Invoice,Price,StockCode,Description,Quantity,InvoiceDate"
    line = '17850.0,536365,2.55,85123A,"WHITE HEART, LARGE",6,2010-12-01 08:26:00'

    assert list(rows(written(tmp_path, f"{header}\n{line}\n".encode()))) == [READ]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_both_encodings_are_understood(tmp_path: Path, encoding: str) -> None:
    text = f"{HEADER}\n{LINE.replace('WHITE', '£1 CAFÉ')}\n"

    (row,) = rows(written(tmp_path, text.encode(encoding)))

    assert row.description == "£1 CAFÉ HEART, LARGE"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_what_other_spreadsheets_save_is_read(
    tmp_path: Path, delimiter: str, encoding: str
) -> None:
    fields = ["536365", "85123A", "WHITE € HEART", "6", "1.12.2010", "2,55", "17850", "UK"]
    lines = [HEADER.split(","), fields, [""] * 8]
    text = "\r\n".join(delimiter.join(f'"{field}"' for field in line) for line in lines)

    rows = table(written(tmp_path, text.encode(encoding)))

    assert rows.delimiter == delimiter
    assert list(rows.rows) == [CsvRow(*fields[:7])]


def test_a_line_that_names_the_delimiter_is_no_header(tmp_path: Path) -> None:
    text = f"sep=;\r\n{HEADER.replace(',', ';')}\r\n"

    assert list(rows(written(tmp_path, text.encode()))) == []


def test_a_line_with_another_number_of_fields_is_garbled_and_not_lost(tmp_path: Path) -> None:
    text = f"{HEADER}\n536365,85123A\n\n{LINE},one more\n{LINE}\n"

    assert list(rows(written(tmp_path, text.encode()))) == [GARBLED, GARBLED, READ]


PACKED = gzip.compress(f"{HEADER}\n{LINE}\n".encode() * 100)
WRONG = [
    (b"", "orders.csv", "the file is empty"),
    (b" \n\n", "orders.csv", "the file is empty"),
    (gzip.compress(b""), "orders.csv.gz", "the file is empty"),
    (PACKED[:-20], "orders.csv.gz", "cannot be unpacked"),
    (PACKED[:40] + b"\0\1\2" + PACKED[43:], "orders.csv.gz", "cannot be unpacked"),
    (LINE.encode(), "orders.csv.gz", "cannot be unpacked"),
    (bytes(range(256)), "orders.csv", "names no InvoiceNo, StockCode"),
    (b"PK\x03\x04...", "orders.xlsx", "is a workbook"),
    (HEADER.replace("Price", "Prize").encode(), "orders.csv", "names no UnitPrice$"),
    (HEADER.replace(",", "#").encode(), "orders.csv", "names no InvoiceNo"),
    (f'{HEADER}\n"{"x" * 140_000}'.encode(), "orders.csv", "line 2 is no CSV"),
]


@pytest.mark.parametrize(("content", "name", "complaint"), WRONG)
def test_a_file_of_another_format_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, name: str, complaint: str
) -> None:
    path = written(tmp_path, content, name)

    with pytest.raises(Fault, match=complaint) as refusal:
        list(rows(path))

    assert refusal.value.exit_code == 2
    assert str(path) in refusal.value.where
    assert "InvoiceNo" in refusal.value.remedy


@pytest.mark.parametrize("name", ["nothing.csv", "."])
def test_a_file_that_is_not_there_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Fault, match=r"cannot be read: (No such file|Is a directory)"):
        list(rows(tmp_path / name))
