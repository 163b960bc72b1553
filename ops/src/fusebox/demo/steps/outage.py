"""catalog-service is killed, and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from fusebox.core.wait import wait_until
from fusebox.demo.assertions import (
    OPEN,
    Breaker,
    Order,
    counted,
    counts_up_and_opens,
    refuses_unasked,
)
from fusebox.demo.context import Outage, Scene, Step
from fusebox.demo.inspection import eventually
from fusebox.demo.shop_actions import CONFIRMED, PENDING, again, decided, place

CALLER, CALLED = "order-service", "catalog-service"
WATCHED = f"{CALLER}-1"
# With the breaker open, to see that nobody is asked.
ORDERS_AFTER = 3
HEARD_SECONDS = 15
DECIDED_SECONDS = 15
CLOSED_WITHIN = timedelta(seconds=5)
GIVEN_UP = timedelta(seconds=20)


def play_killed(scene: Scene) -> None:
    stage, outage = scene.stage, _kill(scene)
    fail_max = scene.looking.fail_max(WATCHED)
    readings = []
    for number, (order, breaker) in enumerate(_order_on(scene, outage, fail_max), 1):
        readings.append(breaker)
        state = f"{breaker.state}, {breaker.failures} of {fail_max}"
        stage.tell(f"order {number}", f"{order.code} {order.status:<8} breaker {state}")
    orders = outage.orders
    stage.link(orders[0].trace)
    stage.hold(
        "Orders are accepted all the same, judged by the last facts heard.",
        all(each.is_accepted and each.status == PENDING for each in orders),
        f"{len(orders)} orders: {counted(f'{each.code} {each.status}' for each in orders)}",
    )
    stage.hold(
        "An outage is said, never hidden: each answer names who was missing.",
        all(each.degraded == (CALLED,) for each in orders),
        f"degraded: {counted(', '.join(each.degraded) or 'nobody' for each in orders)}",
    )
    stage.hold(
        f"The breaker opens at failure {fail_max} in a row, and not before.",
        counts_up_and_opens(readings, fail_max),
        ", ".join(f"{each.failures} {each.state}" for each in readings),
    )
    stage.hold(
        "An open breaker refuses at once: nobody calls a service that is known to be dead.",
        refuses_unasked(readings),
        _since_it_opened(readings),
    )
    _hold_page(scene, outage)


def _since_it_opened(readings: Sequence[Breaker]) -> str:
    opened = [each for each in readings if each.state == OPEN]
    if not opened:
        return "it did not open"
    failed = opened[-1].failed_calls - opened[0].failed_calls
    refused = opened[-1].refused_calls - opened[0].refused_calls
    return f"{failed} calls failed since it opened, {refused} were refused unasked"


def _hold_page(scene: Scene, outage: Outage) -> None:
    page = outage.customer.page()
    said = page.json()
    shown = {each["orderId"] for each in said.get("orders", [])}
    scene.stage.hold(
        "The user's page still opens, with the waiting orders on it.",
        page.ok and "degraded" not in said and {each.order_id for each in outage.orders} <= shown,
        f"{page.status_code}, {len(shown)} orders on it",
    )


def play_back(scene: Scene) -> None:
    stage, outage = scene.stage, scene.outage or _outage_of_its_own(scene)
    outage.customer = again(outage.customer, outage.email)
    began = time.monotonic()
    scene.breakage.start(CALLED)
    healthy = time.monotonic()
    stage.tell(f"start {CALLED}", f"healthy after {healthy - began:.1f} s")
    last, closing = eventually(
        lambda: _one_more(outage), lambda order: not order.degraded, GIVEN_UP.total_seconds()
    )
    states = scene.looking.transitions(WATCHED, CALLED)
    stage.tell("breaker", " → ".join(states))
    stage.hold(
        f"The probe closes the breaker within {CLOSED_WITHIN.seconds} s; the new instance in the"
        " registry hastens it.",
        last.is_accepted and states[-1] == "CLOSED" and closing <= CLOSED_WITHIN.total_seconds(),
        f"the first order that was not degraded came {closing:.1f} s after the start",
    )
    found, _ = decided(outage.customer, outage.orders, DECIDED_SECONDS)
    stage.link(outage.orders[0].trace)
    stage.hold(
        "Every order that waited is decided, none is lost.",
        set(found.values()) == {CONFIRMED},
        f"{len(found)} orders: {counted(found.values())},"
        f" {time.monotonic() - healthy:.1f} s after the start",
    )
    after = scene.trading.stock()
    stage.hold(
        "Each took its piece exactly once.",
        after == outage.stock_before - len(found),
        f"stock {outage.stock_before} - {len(found)} orders = {after}",
    )
    scene.outage = None


def _kill(scene: Scene) -> Outage:
    """Kill catalog-service, with one instance of its caller so that one breaker counts."""
    scene.breakage.scale(CALLER, 1)
    customer = scene.trading.opened()
    wait_until(scene.trading.is_heard, HEARD_SECONDS, "order-service, reading `products`,")
    email = customer.page().json()["email"]
    outage = scene.outage = Outage(customer, email, scene.trading.stock())
    began = time.monotonic()
    scene.breakage.kill(CALLED)
    scene.stage.tell(f"kill {CALLED}", f"SIGKILL; dead after {time.monotonic() - began:.1f} s")
    return outage


def _order_on(scene: Scene, outage: Outage, fail_max: int) -> Iterator[tuple[Order, Breaker]]:
    """Orders one after another, each with the breaker as it is after it."""
    for _ in range(fail_max + ORDERS_AFTER):
        yield _one_more(outage), scene.looking.breaker(WATCHED, CALLED)


def _one_more(outage: Outage) -> Order:
    order = place(outage.customer)
    if order.is_accepted:
        outage.orders.append(order)
    return order


def _outage_of_its_own(scene: Scene) -> Outage:
    """What the step before this one would have left."""
    outage = _kill(scene)
    seen = [breaker for _, breaker in _order_on(scene, outage, scene.looking.fail_max(WATCHED))]
    statuses = counted(each.status for each in outage.orders)
    scene.stage.tell("orders", f"{statuses}; the breaker is {seen[-1].state}")
    scene.stage.hold(
        "With catalog-service dead the breaker is open.", seen[-1].state == OPEN, seen[-1].state
    )
    return outage


KILLED = Step(
    "catalog-service is killed",
    "order-service asks catalog-service for price and stock. Each call that fails is counted by"
    " the breaker in order-service; enough in a row open it, and the dead are asked no more."
    " Orders go on: they wait in Kafka for somebody to decide them.",
    play_killed,
)
BACK = Step(
    "catalog-service comes back",
    "An open breaker lets one call through from time to time: the probe. If it succeeds, the"
    " breaker closes and all goes on as before. The orders that waited are read from Kafka now.",
    play_back,
    continues=True,
)
