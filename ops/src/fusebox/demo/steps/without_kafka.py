"""Kafka is killed, and comes back."""

from __future__ import annotations

import time

from fusebox.demo.assertions import counted
from fusebox.demo.context import DemoContext, DemoStep
from fusebox.demo.shop_actions import (
    CONFIRMED,
    PENDING,
    order_statuses,
    place,
    wait_for_decisions,
)

ORDERS = 3
DECIDED_SECONDS = 45


def run(context: DemoContext) -> None:
    console, customer = context.console, context.actions.ready_customer()
    before = context.actions.stock()
    context.faults.kill("kafka")
    console.event("kill kafka", "SIGKILL; nothing can be sent or read")
    orders = [place(customer) for _ in range(ORDERS)]
    for number, order in enumerate(orders, 1):
        console.event(f"order {number}", f"{order} after {order.milliseconds:.0f} ms")
    console.trace_link(orders[0].trace_url)
    console.check(
        "Orders are accepted while Kafka is dead, with stock and price checked as ever.",
        all(order.is_accepted and not order.degraded for order in orders),
        counted(str(order) for order in orders),
    )
    waiting = order_statuses(customer, orders)
    console.check(
        "They wait in order-service's outbox, undecided.",
        set(waiting.values()) == {PENDING},
        counted(waiting.values()),
    )
    console.event("start kafka", "takes seconds: a JVM, and its old session to end")
    began = time.monotonic()
    context.faults.start("kafka")
    console.event("", f"Kafka answers after {time.monotonic() - began:.1f} s")
    statuses, waited = wait_for_decisions(customer, orders, DECIDED_SECONDS)
    after = context.actions.stock()
    console.check(
        "They are decided when Kafka is back: none lost, none twice.",
        set(statuses.values()) == {CONFIRMED} and after == before - len(statuses),
        f"{counted(statuses.values())} {waited:.1f} s later;"
        f" stock {before} - {len(statuses)} = {after}",
    )


STEP = DemoStep(
    "Kafka is killed, and comes back",
    "An order and its message are written in one transaction (the transactional outbox), and a"
    " relay sends the message when it can. So no order depends on Kafka being there, and no message"
    " is lost on the way to it.",
    run,
)
