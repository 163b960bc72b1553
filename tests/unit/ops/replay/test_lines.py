"""Every kind of dirt is known by its name, and none is dropped in silence."""

from datetime import datetime
from pathlib import Path

import pytest

from fusebox.replay.input import synthetic
from fusebox.replay.input.lines import Ledger, LeftOut, Line, gather
from fusebox.replay.input.rows import GARBLED, Row, rows
from fusebox.replay.plan import write

SAMPLE = Path(__file__).resolve().parents[5] / "shared/data/online-retail-sample.csv.gz"
CLEAN = Row("536365", "85123A", "WHITE HEART", "6", "2010-12-01 08:26:00", "2.55", "17850.0")


def gathered(*given: Row) -> tuple[list[Line], Ledger]:
    ledger = Ledger()
    return gather(given, ledger), ledger


def test_a_clean_row_is_a_line() -> None:
    (line,), ledger = gathered(CLEAN)

    assert line == Line(
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
    (line,), _ = gathered(CLEAN._replace(invoice="C536379", quantity="-6"))

    assert (line.cancels, line.pieces) == (True, 6)


@pytest.mark.parametrize("date", ["12/1/2010 8:26", "2010-12-01T08:26:00Z", "2010-12-01 08:26"])
def test_the_date_has_several_spellings(date: str) -> None:
    (line,), _ = gathered(CLEAN._replace(date=date))

    assert line.at == datetime(2010, 12, 1, 8, 26)


def test_one_product_may_be_typed_in_small_letters_and_with_blanks() -> None:
    (line,), _ = gathered(CLEAN._replace(code=" 85123a ", description=" WHITE\x00\n  HEART "))

    assert (line.code, line.name) == ("85123A", "WHITE HEART")


DIRT = [
    (GARBLED, LeftOut.UNREADABLE),
    (CLEAN._replace(invoice=" "), LeftOut.UNREADABLE),
    (CLEAN._replace(quantity="six"), LeftOut.UNREADABLE),
    (CLEAN._replace(quantity="1.5"), LeftOut.UNREADABLE),
    (CLEAN._replace(price="NaN"), LeftOut.UNREADABLE),
    (CLEAN._replace(price="1e9"), LeftOut.UNREADABLE),
    (CLEAN._replace(date="yesterday"), LeftOut.UNREADABLE),
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


@pytest.mark.parametrize(("row", "why"), DIRT)
def test_dirt_is_left_out_by_name(row: Row, why: LeftOut) -> None:
    lines, ledger = gathered(row, CLEAN)

    assert len(lines) == 1
    assert ledger.left_out == {why: 1}


def test_the_same_line_is_played_once() -> None:
    lines, ledger = gathered(CLEAN, CLEAN._replace(quantity="7"), CLEAN)

    assert len(lines) == 2
    assert ledger.left_out == {LeftOut.DUPLICATE: 1}


def test_a_synthetic_shop_is_the_same_each_time_and_has_all_that_a_real_one_has() -> None:
    made = list(synthetic.rows(2000))
    ledger = Ledger()

    script = write(gather(made, ledger), ledger)

    assert made == list(synthetic.rows(2000))
    assert len({row.invoice for row in made}) == 2000
    assert len(ledger.left_out) >= 6
    assert 0 < len(script.acts) - len(script.orders) < 100  # cancellations
    popular = max(sum(p in order.quantities for order in script.orders) for p in script.products)
    assert popular > 5 * len(script.orders) / len(script.products)


@pytest.mark.skipif(not SAMPLE.exists(), reason=f"the real orders are not in {SAMPLE.parent}")
def test_the_real_sample_is_accounted_for_line_by_line() -> None:
    ledger = Ledger()

    script = write(gather(rows(SAMPLE), ledger), ledger)

    assert ledger.read == 30_000
    assert ledger.left_out == {
        LeftOut.NO_CUSTOMER: 2000,
        LeftOut.NO_ORDER: 550,
        LeftOut.ADJUSTMENT: 126,
        LeftOut.DUPLICATE: 25,
        LeftOut.NO_PRICE: 1,
    }
    assert (len(script.orders), len(script.acts), len(script.customers)) == (11_174, 11_216, 3540)
