"""The plan made of the lines: orders in time, cancellations, and products that sell out."""

from datetime import datetime, timedelta

from fusebox.replay.input.lines import Corrected, InvoiceLine, Ledger, LeftOut
from fusebox.replay.plan import PlannedCancellation, PlannedOrder, ReplayPlan, make_plan, stocks_for
from fusebox.replay.run.player import customer_queues

MONDAY = datetime(2011, 1, 3, 9)


def line(
    invoice: str,
    code: str = "A",
    pieces: int = 1,
    hour: int = 0,
    customer: str = "Ann",
    **more: object,
) -> InvoiceLine:
    given = {"name": f"ARTICLE {code}", "price": 100, **more}
    return InvoiceLine(
        invoice=invoice,
        cancels=invoice.startswith("C"),
        customer=customer,
        code=code,
        pieces=pieces,
        at=MONDAY + timedelta(hours=hour),
        **given,  # type: ignore[arg-type]
    )


def planned(*lines: InvoiceLine) -> tuple[ReplayPlan, Ledger]:
    ledger = Ledger(read=len(lines))
    return make_plan(lines, ledger), ledger


def test_the_lines_of_an_invoice_are_one_order_and_a_product_is_one_line_of_it() -> None:
    plan, _ = planned(line("1", "A", 2), line("1", "B", 3), line("2", "A"), line("1", "A", 4))

    assert [order.quantities for order in plan.orders] == [{"A": 6, "B": 3}, {"A": 1}]


def test_actions_come_in_order_of_time_whatever_the_order_of_the_file() -> None:
    plan, _ = planned(line("9", hour=5), line("C8", hour=7), line("7", hour=6, customer="Bob"))

    kinds = [type(action) for action in plan.actions]
    assert kinds == [PlannedOrder, PlannedOrder, PlannedCancellation]
    assert [action.customer for action in plan.actions] == ["Ann", "Bob", "Ann"]


def test_an_invoice_that_the_contract_would_refuse_becomes_several_orders() -> None:
    long, _ = planned(*(line("1", f"P{n}") for n in range(230)))
    heavy, _ = planned(line("1", "A", 900_000), line("1", "A", 200_000))

    assert [len(order.quantities) for order in long.orders] == [100, 100, 30]
    assert [order.quantities["A"] for order in heavy.orders] == [900_000, 200_000]


def test_a_cancellation_means_the_latest_earlier_order_that_has_all_of_it() -> None:
    plan, ledger = planned(
        line("1", "A", hour=1),
        line("2", "A", hour=2),
        line("2", "B", hour=2),
        line("3", "B", hour=3),
        line("4", "A", hour=9),
        line("4", "B", hour=9),
        line("C5", "A", hour=4),
        line("C5", "B", hour=4),
    )

    (cancellation,) = [action for action in plan.actions if isinstance(action, PlannedCancellation)]
    assert plan.actions[cancellation.order] == plan.orders[1]
    assert ledger.corrected[Corrected.PART_CANCELLED] == 0


def test_a_cancellation_of_a_part_cancels_the_whole_and_says_so() -> None:
    plan, ledger = planned(line("1", "A", 6), line("1", "B"), line("C2", "A", 2, hour=1))

    assert plan.actions[-1] == PlannedCancellation(0, "Ann", MONDAY + timedelta(hours=1))
    assert ledger.corrected[Corrected.PART_CANCELLED] == 1


def test_a_cancellation_that_fits_no_order_is_left_out_and_counted() -> None:
    plan, ledger = planned(
        line("1", "A", hour=5),
        line("C2", "A", hour=4),
        line("C3", "A", hour=6, customer="Bob"),
        line("C4", "B", hour=6),
        line("C5", "A", hour=6),
        line("C6", "A", hour=7),
    )

    assert len(plan.actions) == 2
    assert ledger.left_out == {LeftOut.NO_ORDER: 4}
    assert ledger.played == 2


def test_the_stock_is_nine_tenths_of_the_demand_but_at_least_the_largest_order() -> None:
    orders = [{"A": 5, "B": 40}, {"A": 5}, {"A": 1}, {"B": 1}]

    assert stocks_for(orders) == {"A": 10, "B": 40}
    assert stocks_for([{"A": 1}] * 10) == {"A": 9}


def test_a_product_has_its_most_frequent_name_and_price() -> None:
    plan, ledger = planned(
        line("1", price=100),
        line("2", price=90),
        line("3", price=100, name="?"),
        line("4", name=""),
    )

    assert (plan.products["A"].name, plan.products["A"].price) == ("ARTICLE A", 100)
    assert ledger.corrected == {
        Corrected.OTHER_PRICE: 1,
        Corrected.OTHER_NAME: 1,
        Corrected.NO_DESCRIPTION: 1,
    }


def test_a_product_without_any_description_is_named_by_its_code() -> None:
    plan, _ = planned(line("1", "22041", name=""))

    assert plan.products["22041"].name == "22041"


def test_the_actions_of_a_customer_stay_in_one_queue_and_in_order() -> None:
    lines = [line(str(n), hour=n, customer=f"Customer {n % 7}") for n in range(50)]
    plan, _ = planned(*lines)

    queues = customer_queues(plan.actions, 3)

    assert len(queues) == 3
    times = sorted(action.at for queue in queues for action in queue)
    assert times == [action.at for action in plan.actions]
    customers = [{action.customer for action in queue} for queue in queues]
    assert sum(map(len, customers)) == 7
    assert all(queue == sorted(queue, key=lambda action: action.at) for queue in queues)
    assert max(map(len, queues)) - min(map(len, queues)) <= 8


def test_there_are_no_more_queues_than_customers() -> None:
    plan, _ = planned(line("1"), line("2"))

    assert [len(queue) for queue in customer_queues(plan.actions, 16)] == [2]
