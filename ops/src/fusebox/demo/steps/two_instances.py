"""Two instances, and a kill that nobody notices."""

from __future__ import annotations

import time
from functools import partial

from fusebox.core.shop_client import Customer
from fusebox.core.topology import number_of
from fusebox.demo.assertions import Order, counted
from fusebox.demo.context import Scene, Step
from fusebox.demo.inspection import eventually
from fusebox.demo.load import Flow
from fusebox.demo.shop_actions import CONFIRMED, decided, place

SERVICE = "catalog-service"
HANDS, ORDERS_A_SECOND = 4, 20
BOTH_BUSY = 5
BUSY_SECONDS = 15
SECONDS_AFTER = 2.0
DECIDED_SECONDS = 15


def play(scene: Scene) -> None:
    stage, customer = scene.stage, scene.trading.opened()
    there = scene.breakage.instances(SERVICE)
    if len(there) < 2:
        began = time.monotonic()
        scene.breakage.scale(SERVICE, 2)
        there = scene.breakage.instances(SERVICE)
        stage.tell("scale", f"{' and '.join(there)} run after {time.monotonic() - began:.1f} s")
    before = scene.trading.stock()
    orders = _order_while_one_is_killed(scene, customer, there)
    stage.link(orders[-1].trace)
    stage.hold(
        "With two instances a kill costs no request.",
        all(each.is_accepted for each in orders),
        f"{len(orders)} orders: {counted(str(each.code) for each in orders)};"
        f" the slowest took {max(each.milliseconds for each in orders):.0f} ms",
    )
    stage.hold(
        "Nobody was missing: what one did not answer, the other was asked.",
        not any(each.degraded for each in orders),
        f"{sum(bool(each.degraded) for each in orders)} of {len(orders)} answers were degraded",
    )
    _hold_decided(scene, customer, orders, before)


def _order_while_one_is_killed(scene: Scene, customer: Customer, there: list[str]) -> list[Order]:
    stage, killed = scene.stage, there[-1]
    started = {each: scene.looking.answered(each) for each in there}

    def shares() -> dict[str, int]:
        return {each: scene.looking.answered(each) - started[each] for each in there}

    # A session of its own for each hand: they are not made for sharing.
    hands = [Customer(customer.gateway, customer.user_id, customer.token) for _ in range(HANDS)]
    with Flow([partial(place, hand) for hand in hands], ORDERS_A_SECOND) as flow:
        busy, _ = eventually(shares, lambda seen: min(seen.values()) >= BOTH_BUSY, BUSY_SECONDS)
        told = ", ".join(f"{name} answered {count}" for name, count in busy.items())
        stage.tell("orders flow", f"{len(flow.orders)} so far; {told}")
        stage.hold(
            "Calls are shared out among the instances.", min(busy.values()) >= BOTH_BUSY, told
        )
        scene.breakage.kill(SERVICE, number_of(killed))
        stage.tell("kill", f"{killed}, after {len(flow.orders)} orders")
        time.sleep(SECONDS_AFTER)  # the flow is what is waited for
    return flow.orders


def _hold_decided(scene: Scene, customer: Customer, orders: list[Order], before: int) -> None:
    found, waited = decided(customer, orders, DECIDED_SECONDS)
    after = scene.trading.stock()
    scene.stage.hold(
        "Every order is decided, once: the other instance takes over the dead one's partitions.",
        set(found.values()) == {CONFIRMED} and after == before - len(found),
        f"{counted(found.values())} within {waited:.1f} s of the last;"
        f" stock {before} - {len(found)} = {after}",
    )


STEP = Step(
    "Two instances, and a kill",
    "One instance dies under load. Its callers pass over who refuses a connection, and ask the"
    " other at once; a question that had reached the dead one is asked again, as asking twice does"
    " no harm.",
    play,
)
