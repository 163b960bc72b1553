"""catalog-service is killed, and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from fusebox.core.wait import wait_until
from fusebox.demo.assertions import (
    OPEN,
    BreakerReading,
    counted,
    counts_up_and_opens,
    refuses_without_calling,
)
from fusebox.demo.context import CatalogOutage, DemoContext, DemoStep
from fusebox.demo.inspection import eventually
from fusebox.demo.shop_actions import (
    CONFIRMED,
    PENDING,
    log_in_again,
    place,
    wait_for_decisions,
)
from fusebox.runtime.shop_client import OrderResult

CALLER, CALLED = "order-service", "catalog-service"
WATCHED = f"{CALLER}-1"
# With the breaker open, to see that nobody is called.
ORDERS_AFTER = 3
CONSUMED_SECONDS = 15
DECIDED_SECONDS = 15
CLOSED_WITHIN = timedelta(seconds=5)
GIVEN_UP = timedelta(seconds=20)


def run_outage(context: DemoContext) -> None:
    outage = _kill(context)
    fail_max = context.inspection.fail_max(WATCHED)
    readings = []
    for number, (order, breaker) in enumerate(_order_on(context, outage, fail_max), 1):
        readings.append(breaker)
        state = f"{breaker.state}, {breaker.failures} of {fail_max}"
        answer = f"{order.http_status} {order.outcome:<8}"
        context.console.event(f"order {number}", f"{answer} breaker {state}")
    _check_orders(context, outage)
    _check_breaker(context, readings, fail_max)
    _check_page(context, outage)


def _check_orders(context: DemoContext, outage: CatalogOutage) -> None:
    console, orders = context.console, outage.orders
    answers = counted(f"{order.http_status} {order.outcome}" for order in orders)
    console.trace_link(orders[0].trace_url)
    console.check(
        "Orders are still accepted, checked against the last known price and stock.",
        all(order.is_accepted and order.status == PENDING for order in orders),
        f"{len(orders)} orders: {answers}",
    )
    console.check(
        "An outage is never hidden: every answer names the service that was missing.",
        all(order.degraded == (CALLED,) for order in orders),
        f"degraded: {counted(', '.join(order.degraded) or 'nobody' for order in orders)}",
    )


def _check_breaker(context: DemoContext, readings: Sequence[BreakerReading], fail_max: int) -> None:
    context.console.check(
        f"The breaker opens at failure {fail_max} in a row, and not before.",
        counts_up_and_opens(readings, fail_max),
        ", ".join(f"{reading.failures} {reading.state}" for reading in readings),
    )
    context.console.check(
        "An open breaker refuses at once: nobody calls a service that is known to be dead.",
        refuses_without_calling(readings),
        _since_it_opened(readings),
    )


def _since_it_opened(readings: Sequence[BreakerReading]) -> str:
    opened = [reading for reading in readings if reading.state == OPEN]
    if not opened:
        return "it did not open"
    failed = opened[-1].failed_calls - opened[0].failed_calls
    refused = opened[-1].refused_calls - opened[0].refused_calls
    return f"{failed} calls failed since it opened, {refused} were refused without a call"


def _check_page(context: DemoContext, outage: CatalogOutage) -> None:
    page = outage.customer.page()
    document = page.json()
    listed = {order["orderId"] for order in document.get("orders", [])}
    placed = {order.order_id for order in outage.orders}
    context.console.check(
        "The user's page still opens, with the waiting orders on it.",
        page.ok and "degraded" not in document and placed <= listed,
        f"{page.status_code}, {len(listed)} orders on it",
    )


def run_recovery(context: DemoContext) -> None:
    outage = context.outage or _outage_of_its_own(context)
    outage.customer = log_in_again(outage.customer, outage.email)
    began = time.monotonic()
    context.faults.start(CALLED)
    healthy = time.monotonic()
    context.console.event(f"start {CALLED}", f"healthy after {healthy - began:.1f} s")
    _check_closing(context, outage)
    _check_decisions(context, outage, healthy)
    context.outage = None


def _check_closing(context: DemoContext, outage: CatalogOutage) -> None:
    last, seconds = eventually(
        lambda: _one_more(outage), lambda order: not order.degraded, GIVEN_UP.total_seconds()
    )
    states = context.inspection.transitions(WATCHED, CALLED)
    context.console.event("breaker", " → ".join(states))
    context.console.check(
        f"The probe closes the breaker within {CLOSED_WITHIN.seconds} s; that the new instance"
        " registers makes it faster.",
        last.is_accepted and states[-1] == "CLOSED" and seconds <= CLOSED_WITHIN.total_seconds(),
        f"the first order that was not degraded came {seconds:.1f} s after the start",
    )


def _check_decisions(context: DemoContext, outage: CatalogOutage, healthy: float) -> None:
    statuses, _ = wait_for_decisions(outage.customer, outage.orders, DECIDED_SECONDS)
    context.console.trace_link(outage.orders[0].trace_url)
    context.console.check(
        "Every order that waited is decided, none is lost.",
        set(statuses.values()) == {CONFIRMED},
        f"{len(statuses)} orders: {counted(statuses.values())},"
        f" {time.monotonic() - healthy:.1f} s after the start",
    )
    after = context.actions.stock()
    context.console.check(
        "Every order took its piece exactly once.",
        after == outage.stock_before - len(statuses),
        f"stock {outage.stock_before} - {len(statuses)} orders = {after}",
    )


def _kill(context: DemoContext) -> CatalogOutage:
    """Kill catalog-service, with one instance of its caller so that one breaker counts."""
    context.faults.scale(CALLER, 1)
    customer = context.actions.ready_customer()
    wait_until(
        context.actions.products_are_consumed,
        CONSUMED_SECONDS,
        "order-service, reading `products`,",
    )
    email = customer.page().json()["email"]
    outage = context.outage = CatalogOutage(customer, email, context.actions.stock())
    began = time.monotonic()
    context.faults.kill(CALLED)
    context.console.event(f"kill {CALLED}", f"SIGKILL; dead after {time.monotonic() - began:.1f} s")
    return outage


def _order_on(
    context: DemoContext, outage: CatalogOutage, fail_max: int
) -> Iterator[tuple[OrderResult, BreakerReading]]:
    """Orders one after another, with a reading of the breaker after every one of them."""
    for _ in range(fail_max + ORDERS_AFTER):
        yield _one_more(outage), context.inspection.breaker(WATCHED, CALLED)


def _one_more(outage: CatalogOutage) -> OrderResult:
    order = place(outage.customer)
    if order.is_accepted:
        outage.orders.append(order)
    return order


def _outage_of_its_own(context: DemoContext) -> CatalogOutage:
    """What the step before this one would have left."""
    outage = _kill(context)
    fail_max = context.inspection.fail_max(WATCHED)
    readings = [breaker for _, breaker in _order_on(context, outage, fail_max)]
    statuses = counted(order.outcome for order in outage.orders)
    context.console.event("orders", f"{statuses}; the breaker is {readings[-1].state}")
    context.console.check(
        "With catalog-service dead the breaker is open.",
        readings[-1].state == OPEN,
        readings[-1].state,
    )
    return outage


OUTAGE = DemoStep(
    "catalog-service is killed",
    "order-service asks catalog-service for price and stock. The breaker in order-service counts"
    " the calls that fail; enough of them in a row open it, and catalog-service is no longer"
    " called. Orders go on: they wait in Kafka until catalog-service can decide them.",
    run_outage,
)
RECOVERY = DemoStep(
    "catalog-service comes back",
    "An open breaker lets one call through from time to time: the probe. If it succeeds, the"
    " breaker closes and all goes on as before. catalog-service now reads from Kafka the orders"
    " that waited.",
    run_recovery,
    continues=True,
)
