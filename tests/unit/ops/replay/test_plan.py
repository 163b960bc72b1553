"""What is made of the lines: orders in time, cancellations, and shelves that run empty."""

from datetime import datetime, timedelta

from fusebox.replay.input.lines import Ledger, LeftOut, Line, Mended
from fusebox.replay.plan import Cancellation, Order, Script, stocks_for, write
from fusebox.replay.run.player import lanes

MONDAY = datetime(2011, 1, 3, 9)


def line(
    invoice: str,
    code: str = "A",
    pieces: int = 1,
    hour: int = 0,
    customer: str = "Ann",
    **more: object,
) -> Line:
    given = {"name": f"ARTICLE {code}", "price": 100, **more}
    return Line(
        invoice=invoice,
        cancels=invoice.startswith("C"),
        customer=customer,
        code=code,
        pieces=pieces,
        at=MONDAY + timedelta(hours=hour),
        **given,  # type: ignore[arg-type]
    )


def written(*lines: Line) -> tuple[Script, Ledger]:
    ledger = Ledger(read=len(lines))
    return write(lines, ledger), ledger


def test_the_lines_of_an_invoice_are_one_order_and_a_product_is_one_line_of_it() -> None:
    script, _ = written(line("1", "A", 2), line("1", "B", 3), line("2", "A"), line("1", "A", 4))

    assert [order.quantities for order in script.orders] == [{"A": 6, "B": 3}, {"A": 1}]


def test_acts_come_in_the_order_of_their_time_whatever_the_files() -> None:
    script, _ = written(line("9", hour=5), line("C8", hour=7), line("7", hour=6, customer="Bob"))

    assert [type(act) for act in script.acts] == [Order, Order, Cancellation]
    assert [act.customer for act in script.acts] == ["Ann", "Bob", "Ann"]


def test_an_invoice_that_the_contract_would_refuse_becomes_several_orders() -> None:
    long, _ = written(*(line("1", f"P{n}") for n in range(230)))
    heavy, _ = written(line("1", "A", 900_000), line("1", "A", 200_000))

    assert [len(order.quantities) for order in long.orders] == [100, 100, 30]
    assert [order.quantities["A"] for order in heavy.orders] == [900_000, 200_000]


def test_a_cancellation_means_the_latest_earlier_order_that_has_all_of_it() -> None:
    script, ledger = written(
        line("1", "A", hour=1),
        line("2", "A", hour=2),
        line("2", "B", hour=2),
        line("3", "B", hour=3),
        line("4", "A", hour=9),
        line("4", "B", hour=9),
        line("C5", "A", hour=4),
        line("C5", "B", hour=4),
    )

    (cancellation,) = [act for act in script.acts if isinstance(act, Cancellation)]
    assert script.acts[cancellation.order] == script.orders[1]
    assert ledger.mended[Mended.PART_CANCELLED] == 0


def test_a_cancellation_of_a_part_cancels_the_whole_and_says_so() -> None:
    script, ledger = written(line("1", "A", 6), line("1", "B"), line("C2", "A", 2, hour=1))

    assert script.acts[-1] == Cancellation(0, "Ann", MONDAY + timedelta(hours=1))
    assert ledger.mended[Mended.PART_CANCELLED] == 1


def test_a_cancellation_that_fits_no_order_is_counted_as_dirt() -> None:
    script, ledger = written(
        line("1", "A", hour=5),
        line("C2", "A", hour=4),
        line("C3", "A", hour=6, customer="Bob"),
        line("C4", "B", hour=6),
        line("C5", "A", hour=6),
        line("C6", "A", hour=7),
    )

    assert len(script.acts) == 2
    assert ledger.left_out == {LeftOut.NO_ORDER: 4}
    assert ledger.played == 2


def test_of_everything_there_is_nine_tenths_but_the_largest_order_at_least() -> None:
    orders = [{"A": 5, "B": 40}, {"A": 5}, {"A": 1}, {"B": 1}]

    assert stocks_for(orders) == {"A": 10, "B": 40}
    assert stocks_for([{"A": 1}] * 10) == {"A": 9}


def test_a_product_has_its_most_frequent_name_and_price() -> None:
    script, ledger = written(
        line("1", price=100),
        line("2", price=90),
        line("3", price=100, name="?"),
        line("4", name=""),
    )

    assert (script.products["A"].name, script.products["A"].price) == ("ARTICLE A", 100)
    assert ledger.mended == {
        Mended.OTHER_PRICE: 1,
        Mended.OTHER_NAME: 1,
        Mended.NO_DESCRIPTION: 1,
    }


def test_a_product_without_any_description_is_named_by_its_code() -> None:
    script, _ = written(line("1", "22041", name=""))

    assert script.products["22041"].name == "22041"


def test_lanes_keep_each_customers_acts_together_and_in_order() -> None:
    lines = [line(str(n), hour=n, customer=f"Customer {n % 7}") for n in range(50)]
    script, _ = written(*lines)

    found = lanes(script.acts, 3)

    assert len(found) == 3
    assert sorted(act.at for lane in found for act in lane) == [act.at for act in script.acts]
    homes = [{act.customer for act in lane} for lane in found]
    assert sum(map(len, homes)) == 7
    assert all(lane == sorted(lane, key=lambda act: act.at) for lane in found)
    assert max(map(len, found)) - min(map(len, found)) <= 8


def test_there_are_no_more_lanes_than_customers() -> None:
    script, _ = written(line("1"), line("2"))

    assert [len(lane) for lane in lanes(script.acts, 16)] == [2]
