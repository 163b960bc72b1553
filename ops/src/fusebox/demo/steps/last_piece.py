"""Many want the last piece at the same moment."""

from __future__ import annotations

import time
from functools import partial

from fusebox.core.wait import wait_until
from fusebox.demo.assertions import counted
from fusebox.demo.context import DemoContext, DemoStep
from fusebox.demo.load import all_at_once
from fusebox.demo.shop_actions import (
    CONFIRMED,
    LAST_PIECE,
    RECOVERY_SECONDS,
    place_with_retries,
    wait_for_decisions,
)
from fusebox.runtime.shop_client import Customer, OrderResult

BUYERS = 50
DECIDED_SECONDS = 15
SOLD_OUT = {"out-of-stock", "REJECTED: out-of-stock"}


def run(context: DemoContext) -> None:
    console, actions = context.console, context.actions
    buyers = _prepared_buyers(context)
    console.event("stock", f"{actions.stock(LAST_PIECE)} piece")
    began = time.monotonic()
    results = all_at_once([partial(place_with_retries, buyer, LAST_PIECE) for buyer in buyers])
    orders, refusals = [order for order, _ in results], sum(number for _, number in results)
    seconds = time.monotonic() - began
    console.event("all at once", f"{counted(map(str, orders))}; in {seconds:.1f} s")
    if refusals:
        console.event("", f"{refusals} × 503, try again later: they did, with the same key")
    outcomes = [_final_outcome(buyer, order) for buyer, order in zip(buyers, orders, strict=True)]
    winner = next((order for order in orders if order.status == CONFIRMED), orders[0])
    console.trace_link(winner.trace_url)
    confirmed = outcomes.count(CONFIRMED)
    sold_out = sum(outcome in SOLD_OUT for outcome in outcomes)
    console.check(
        f"Exactly one buyer gets it, and the other {BUYERS - 1} hear that it is sold out.",
        confirmed == 1 and sold_out == BUYERS - 1,
        f"{counted(outcomes)} (refused when it was placed, or rejected afterwards)",
    )
    left = actions.stock(LAST_PIECE)
    console.check("No stock is left, and nothing was sold twice.", left == 0, f"stock {left}")


def _prepared_buyers(context: DemoContext) -> list[Customer]:
    """Customers before a shelf with one piece, which order-service has heard of."""
    context.actions.leave_one_in_stock(LAST_PIECE)
    context.actions.ready_customer()
    wait_until(
        context.actions.products_are_consumed,
        RECOVERY_SECONDS,
        "order-service, reading `products`,",
    )
    began = time.monotonic()
    buyers = context.actions.customers(BUYERS)
    seconds = time.monotonic() - began
    context.console.event("buyers", f"{BUYERS} have registered and logged in, in {seconds:.1f} s")
    return buyers


def _final_outcome(buyer: Customer, order: OrderResult) -> str:
    """What the buyer knows in the end: the order's status, or why there is none."""
    if not order.is_accepted:
        return order.outcome
    wait_for_decisions(buyer, [order], DECIDED_SECONDS)
    document = buyer.order(order.order_id).json()
    status = str(document["status"])
    return f"{status}: {document['reason']}" if "reason" in document else status


STEP = DemoStep(
    f"One piece, {BUYERS} buyers",
    f"{BUYERS} people order the last piece at the same moment. Those who ask early still see it in"
    " stock, but that reserves nothing: catalog-service decides, one transaction after another,"
    " and whoever came too late gets `out-of-stock`.",
    run,
)
