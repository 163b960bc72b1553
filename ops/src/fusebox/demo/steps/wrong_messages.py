"""A message that comes twice, and one that cannot be read."""

from __future__ import annotations

from fusebox.demo.context import Scene, Step
from fusebox.demo.inspection import eventually
from fusebox.demo.shop_actions import CONFIRMED, HELD_SECONDS, fates, place

COPIES = 3
BURIED_SECONDS = 15


def play(scene: Scene) -> None:
    stage, customer = scene.stage, scene.trading.opened()
    ends = scene.records.ends()
    order = place(customer, wait=HELD_SECONDS)
    stage.tell("order", f"{order}")
    record = scene.records.placed(order.order_id, ends)
    stock = scene.trading.stock()
    scene.records.send_again(record, COPIES)
    stage.tell("duplicates", f"its message is sent {COPIES} times more, byte for byte")
    key = scene.records.poison(beside=record)
    stage.tell("poison", "and after it one that is no JSON, into the same partition")
    # In one partition records are read in their order: who has buried the poison has read the rest.
    letter, waited = eventually(
        lambda: scene.records.dead_letter(key), lambda found: found is not None, BURIED_SECONDS
    )
    stage.link(order.trace)
    stage.hold(
        "What cannot be read goes to the dead letters with its reason, for `make dead` to show.",
        letter is not None and bool(letter.dead_reason),
        f"{letter.topic}/{letter.partition}/{letter.offset} after {waited:.1f} s:"
        f" {letter.dead_reason}"
        if letter
        else f"no dead letter within {waited:.0f} s",
    )
    now, fate = scene.trading.stock(), fates(customer, [order])[order.order_id]
    stage.hold(
        "A message that comes again has no second effect.",
        now == stock and fate == CONFIRMED,
        f"stock {stock} before and {now} after; the order is {fate}",
    )
    following = place(customer, wait=HELD_SECONDS)
    stage.hold(
        "Neither stops the next one.",
        following.status == CONFIRMED,
        f"{following} after {following.milliseconds:.0f} ms",
    )


STEP = Step(
    "A duplicate and a poisoned message",
    "Kafka delivers at least once, so messages come twice; the consumer writes each id into its"
    " inbox together with the effect, and the second one falls out. A message that nobody can"
    " read must not block those behind it: it is put aside.",
    play,
)
