"""Two instances, and a kill that nobody notices."""

from __future__ import annotations

import time
from functools import partial

from fusebox.core.topology import number_of
from fusebox.demo.assertions import counted
from fusebox.demo.context import DemoContext, DemoStep
from fusebox.demo.inspection import eventually
from fusebox.demo.load import DemoLoad
from fusebox.demo.shop_actions import CONFIRMED, place, wait_for_decisions
from fusebox.runtime.shop_client import Customer, OrderResult

SERVICE = "catalog-service"
WORKERS, ORDERS_A_SECOND = 4, 20
BOTH_BUSY = 5
BUSY_SECONDS = 15
SECONDS_AFTER = 2.0
DECIDED_SECONDS = 15


def run(context: DemoContext) -> None:
    console, customer = context.console, context.actions.ready_customer()
    instances = _two_instances(context)
    before = context.actions.stock()
    orders = _order_while_one_is_killed(context, customer, instances)
    console.trace_link(orders[-1].trace_url)
    console.check(
        "With two instances a kill costs no request.",
        all(order.is_accepted for order in orders),
        f"{len(orders)} orders: {counted(str(order.http_status) for order in orders)};"
        f" the slowest took {max(order.milliseconds for order in orders):.0f} ms",
    )
    degraded = sum(bool(order.degraded) for order in orders)
    console.check(
        "No answer is degraded: what one instance did not answer, the other did.",
        not degraded,
        f"{degraded} of {len(orders)} answers were degraded",
    )
    _check_decisions(context, customer, orders, before)


def _two_instances(context: DemoContext) -> list[str]:
    instances = context.faults.instances(SERVICE)
    if len(instances) < 2:
        began = time.monotonic()
        context.faults.scale(SERVICE, 2)
        instances = context.faults.instances(SERVICE)
        seconds = time.monotonic() - began
        context.console.event("scale", f"{' and '.join(instances)} run after {seconds:.1f} s")
    return instances


def _order_while_one_is_killed(
    context: DemoContext, customer: Customer, instances: list[str]
) -> list[OrderResult]:
    console, inspection, victim = context.console, context.inspection, instances[-1]
    at_first = {name: inspection.requests_answered(name) for name in instances}

    def shares() -> dict[str, int]:
        return {name: inspection.requests_answered(name) - at_first[name] for name in instances}

    # A session of its own for every worker: threads must not share one.
    workers = [Customer(customer.gateway, customer.user_id, customer.token) for _ in range(WORKERS)]
    with DemoLoad([partial(place, worker) for worker in workers], ORDERS_A_SECOND) as load:
        answered, _ = eventually(
            shares, lambda counts: min(counts.values()) >= BOTH_BUSY, BUSY_SECONDS
        )
        evidence = ", ".join(f"{name} answered {count}" for name, count in answered.items())
        console.event("steady orders", f"{len(load.orders)} so far; {evidence}")
        console.check(
            "Calls are balanced between the instances.",
            min(answered.values()) >= BOTH_BUSY,
            evidence,
        )
        context.faults.kill(SERVICE, number_of(victim))
        console.event("kill", f"{victim}, after {len(load.orders)} orders")
        time.sleep(SECONDS_AFTER)  # the load goes on
    return load.orders


def _check_decisions(
    context: DemoContext, customer: Customer, orders: list[OrderResult], before: int
) -> None:
    statuses, waited = wait_for_decisions(customer, orders, DECIDED_SECONDS)
    after = context.actions.stock()
    context.console.check(
        "Every order is decided, once: the other instance takes over the dead one's partitions.",
        set(statuses.values()) == {CONFIRMED} and after == before - len(statuses),
        f"{counted(statuses.values())} within {waited:.1f} s of the last;"
        f" stock {before} - {len(statuses)} = {after}",
    )


STEP = DemoStep(
    "Two instances, and a kill",
    "One instance dies under load. Its callers skip an instance that refuses connections, and call"
    " the other at once; a call that had reached the dead one is repeated, which does no harm"
    " since reading changes nothing.",
    run,
)
