"""Every kind of defect is counted by its name, and no line is dropped in silence."""

from datetime import datetime
from pathlib import Path

import pytest

from fusebox.replay.input import synthetic
from fusebox.replay.input.lines import InvoiceLine, Ledger, LeftOut, parse_lines
from fusebox.replay.input.rows import GARBLED, CsvRow, rows
from fusebox.replay.input.spellings import AmbiguousDates, DateOrder
from fusebox.replay.plan import make_plan

SAMPLE = Path(__file__).resolve().parents[5] / "shared/data/online-retail-sample.csv.gz"
CLEAN = CsvRow("536365", "85123A", "WHITE HEART", "6", "2010-12-01 08:26:00", "2.55", "17850.0")


def parsed(*given: CsvRow) -> tuple[list[InvoiceLine], Ledger]:
    ledger = Ledger()
    return parse_lines(given, ledger), ledger


def test_a_clean_row_becomes_an_invoice_line() -> None:
    (line,), ledger = parsed(CLEAN)

    assert line == InvoiceLine(
        invoice="536365",
        cancels=False,
        customer="17850",
        code="85123A",
        name="WHITE HEART",
        pieces=6,
        price=255,
        at=datetime(2010, 12, 1, 8, 26),
    )
    assert (ledger.read, ledger.played, ledger.left_out.total()) == (1, 1, 0)


def test_a_cancellation_gives_pieces_back() -> None:
    (line,), _ = parsed(CLEAN._replace(invoice="C536379", quantity="-6"))

    assert (line.cancels, line.pieces) == (True, 6)


@pytest.mark.parametrize("date", ["2010-12-01T08:26:00Z", "2010-12-01 08:26", "1.12.10 08:26"])
def test_the_date_has_several_spellings(date: str) -> None:
    (line,), _ = parsed(CLEAN._replace(date=date))

    assert line.at == datetime(2010, 12, 1, 8, 26)


def test_one_day_above_12_says_how_all_dates_are_read() -> None:
    american = [CLEAN._replace(date=date) for date in ("12/1/10 8:26", "12/13/10 9:00")]
    british = [CLEAN._replace(date=date) for date in ("1/12/2010 8:26", "13/12/2010 9:00")]

    for rows_ in (american, british):
        (line, _), _ = parsed(*rows_)
        assert line.at == datetime(2010, 12, 1, 8, 26)


def test_dates_that_may_be_read_in_two_ways_are_not_guessed() -> None:
    row = CLEAN._replace(date="1/12/2010 8:26")

    with pytest.raises(AmbiguousDates, match="dmy: 01 December 2010, or mdy: 12 January 2010"):
        parsed(row)
    (line,) = parse_lines([row], Ledger(), date_order=DateOrder.DMY)
    assert line.at == datetime(2010, 12, 1, 8, 26)


def test_a_decimal_comma_is_that_of_the_whole_file() -> None:
    rows_ = [CLEAN._replace(price=price) for price in ("2,55", "1.234,50", "3")]
    lines, ledger = parsed(*rows_, CLEAN._replace(price="2.55"))

    assert [line.price for line in lines] == [255, 123_450, 300]
    assert ledger.left_out == {LeftOut.UNREADABLE_NUMBER: 1}


def test_of_every_reason_an_example_is_shown() -> None:
    _, ledger = parsed(CLEAN, CLEAN._replace(date="yesterday"), CLEAN._replace(date="x"), GARBLED)

    date, garbled = LeftOut.UNREADABLE_DATE, LeftOut.GARBLED
    assert ledger.examples[date] == "row 2: 536365,85123A,WHITE HEART,6,yesterday,2.55,17850.0"
    assert ledger.examples[garbled] == "row 4"


def test_a_product_code_may_be_in_lower_case_and_with_blanks() -> None:
    (line,), _ = parsed(CLEAN._replace(code=" 85123a ", description=" WHITE\x00\n  HEART "))

    assert (line.code, line.name) == ("85123A", "WHITE HEART")


DEFECTS = [
    (GARBLED, LeftOut.GARBLED),
    (CLEAN._replace(invoice=" "), LeftOut.NO_INVOICE),
    (CLEAN._replace(quantity="six"), LeftOut.UNREADABLE_NUMBER),
    (CLEAN._replace(quantity="1.5"), LeftOut.UNREADABLE_NUMBER),
    (CLEAN._replace(price="NaN"), LeftOut.UNREADABLE_NUMBER),
    (CLEAN._replace(price="1e9"), LeftOut.UNREADABLE_NUMBER),
    (CLEAN._replace(date="yesterday"), LeftOut.UNREADABLE_DATE),
    (CLEAN._replace(date=""), LeftOut.UNREADABLE_DATE),
    (CLEAN._replace(customer=" "), LeftOut.NO_CUSTOMER),
    (CLEAN._replace(code=""), LeftOut.NO_CODE),
    (CLEAN._replace(code="22/41"), LeftOut.NO_CODE),
    (CLEAN._replace(code="9" * 60), LeftOut.NO_CODE),
    (CLEAN._replace(code="POST"), LeftOut.ADJUSTMENT),
    (CLEAN._replace(code="m"), LeftOut.ADJUSTMENT),
    (CLEAN._replace(code="Bank Charges"), LeftOut.ADJUSTMENT),
    (CLEAN._replace(quantity="0"), LeftOut.NO_QUANTITY),
    (CLEAN._replace(quantity="-6"), LeftOut.NO_QUANTITY),
    (CLEAN._replace(invoice="C1"), LeftOut.NOT_NEGATIVE),
    (CLEAN._replace(quantity="1000001"), LeftOut.TOO_MANY),
    (CLEAN._replace(price="0.0"), LeftOut.NO_PRICE),
    (CLEAN._replace(price="-11062.06"), LeftOut.NO_PRICE),
    (CLEAN._replace(price="0.001"), LeftOut.NO_PRICE),
    (CLEAN._replace(price="10000001"), LeftOut.TOO_DEAR),
]


@pytest.mark.parametrize(("row", "why"), DEFECTS)
def test_a_defective_line_is_left_out_and_counted_by_its_reason(row: CsvRow, why: LeftOut) -> None:
    lines, ledger = parsed(row, CLEAN)

    assert len(lines) == 1
    assert ledger.left_out == {why: 1}


def test_the_same_line_is_played_once() -> None:
    lines, ledger = parsed(CLEAN, CLEAN._replace(quantity="7"), CLEAN)

    assert len(lines) == 2
    assert ledger.left_out == {LeftOut.DUPLICATE: 1}


def test_synthetic_invoices_are_the_same_every_time_and_look_like_real_ones() -> None:
    invoices = list(synthetic.rows(2000))
    ledger = Ledger()

    plan = make_plan(parse_lines(invoices, ledger), ledger)

    assert invoices == list(synthetic.rows(2000))
    assert len({row.invoice for row in invoices}) == 2000
    assert len(ledger.left_out) >= 6
    assert 0 < len(plan.actions) - len(plan.orders) < 100  # cancellations
    popular = max(sum(p in order.quantities for order in plan.orders) for p in plan.products)
    assert popular > 5 * len(plan.orders) / len(plan.products)


@pytest.mark.skipif(not SAMPLE.exists(), reason=f"the real orders are not in {SAMPLE.parent}")
def test_the_real_sample_is_accounted_for_line_by_line() -> None:
    ledger = Ledger()

    plan = make_plan(parse_lines(rows(SAMPLE), ledger), ledger)

    assert ledger.read == 30_000
    assert ledger.left_out == {
        LeftOut.NO_CUSTOMER: 2000,
        LeftOut.NO_ORDER: 550,
        LeftOut.ADJUSTMENT: 126,
        LeftOut.DUPLICATE: 25,
        LeftOut.NO_PRICE: 1,
    }
    assert (len(plan.orders), len(plan.actions), len(plan.customers)) == (11_174, 11_216, 3540)
