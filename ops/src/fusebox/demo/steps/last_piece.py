"""Many want the last piece at the same moment."""

from __future__ import annotations

import time
from functools import partial

from fusebox.core.shop_client import Customer
from fusebox.core.wait import wait_until
from fusebox.demo.assertions import Order, counted
from fusebox.demo.context import Scene, Step
from fusebox.demo.load import all_at_once
from fusebox.demo.shop_actions import CONFIRMED, LAST_PIECE, RECOVERY_SECONDS, decided, insist

BUYERS = 50
DECIDED_SECONDS = 15
TOLD_SO = {"out-of-stock", "REJECTED: out-of-stock"}


def play(scene: Scene) -> None:
    stage = scene.stage
    scene.trading.shelve_one(LAST_PIECE)
    scene.trading.opened()
    wait_until(scene.trading.is_heard, RECOVERY_SECONDS, "order-service, reading `products`,")
    began = time.monotonic()
    buyers = scene.trading.customers(BUYERS)
    stage.tell(
        "buyers", f"{BUYERS} have registered and logged in, in {time.monotonic() - began:.1f} s"
    )
    stage.tell("stock", f"{scene.trading.stock(LAST_PIECE)} piece")
    began = time.monotonic()
    answers = all_at_once([partial(insist, buyer, LAST_PIECE) for buyer in buyers])
    orders, refusals = [order for order, _ in answers], sum(number for _, number in answers)
    seconds = time.monotonic() - began
    stage.tell("all at once", f"{counted(map(str, orders))}; in {seconds:.1f} s")
    if refusals:
        stage.tell("", f"{refusals} × 503, come again: so they did, with their key")
    ends = [_end_of(buyer, order) for buyer, order in zip(buyers, orders, strict=True)]
    winner = next((each for each in orders if each.status == CONFIRMED), orders[0])
    stage.link(winner.trace)
    won, told = ends.count(CONFIRMED), sum(end in TOLD_SO for end in ends)
    stage.hold(
        f"Exactly one buyer gets it, and the other {BUYERS - 1} are told so.",
        won == 1 and told == BUYERS - 1,
        f"{counted(ends)} (an order that could not be placed, or one that was placed in vain)",
    )
    left = scene.trading.stock(LAST_PIECE)
    stage.hold(
        "What is gone is gone: nothing is left, and nothing was sold twice.",
        left == 0,
        f"stock {left}",
    )


def _end_of(buyer: Customer, order: Order) -> str:
    """What the buyer knows in the end: the order's status, or why there is none."""
    if not order.is_accepted:
        return order.status
    decided(buyer, [order], DECIDED_SECONDS)
    said = buyer.order(order.order_id).json()
    return f"{said['status']}: {said['reason']}" if "reason" in said else str(said["status"])


STEP = Step(
    f"One piece, {BUYERS} buyers",
    f"{BUYERS} people order the last piece at the same moment. Who asks early sees one on the"
    " shelf, but seeing is not having: catalog-service decides, one transaction after another, and"
    " who came too late is told so.",
    play,
)
