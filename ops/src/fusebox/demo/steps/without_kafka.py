"""Kafka is killed, and comes back."""

from __future__ import annotations

import time

from fusebox.demo.assertions import counted
from fusebox.demo.context import Scene, Step
from fusebox.demo.shop_actions import CONFIRMED, PENDING, decided, fates, place

ORDERS = 3
DECIDED_SECONDS = 45


def play(scene: Scene) -> None:
    stage, customer = scene.stage, scene.trading.opened()
    before = scene.trading.stock()
    scene.breakage.kill("kafka")
    stage.tell("kill kafka", "SIGKILL; nothing can be sent or read")
    orders = [place(customer) for _ in range(ORDERS)]
    for number, order in enumerate(orders, 1):
        stage.tell(f"order {number}", f"{order} after {order.milliseconds:.0f} ms")
    stage.link(orders[0].trace)
    stage.hold(
        "Orders are accepted while Kafka is dead, with stock and price checked as ever.",
        all(each.is_accepted and not each.degraded for each in orders),
        counted(str(each) for each in orders),
    )
    waiting = fates(customer, orders)
    stage.hold(
        "They wait in order-service's outbox, undecided.",
        set(waiting.values()) == {PENDING},
        counted(waiting.values()),
    )
    stage.tell("start kafka", "takes seconds: a JVM, and its old session to end")
    began = time.monotonic()
    scene.breakage.start("kafka")
    healthy = time.monotonic()
    stage.tell("", f"Kafka answers after {healthy - began:.1f} s")
    found, waited = decided(customer, orders, DECIDED_SECONDS)
    after = scene.trading.stock()
    stage.hold(
        "They are decided when Kafka is back: none lost, none twice.",
        set(found.values()) == {CONFIRMED} and after == before - len(found),
        f"{counted(found.values())} {waited:.1f} s later; stock {before} - {len(found)} = {after}",
    )


STEP = Step(
    "Kafka is killed, and comes back",
    "An order and its message are written in one transaction, and a relay sends the message when it"
    " can. So no order depends on Kafka being there, and no message is lost on the way to it.",
    play,
)
