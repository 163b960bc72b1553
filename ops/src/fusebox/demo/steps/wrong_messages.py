"""A message that comes twice, and one that cannot be read."""

from __future__ import annotations

from fusebox.demo.context import DemoContext, DemoStep
from fusebox.demo.inspection import eventually
from fusebox.demo.shop_actions import CONFIRMED, WAIT_SECONDS, order_statuses, place
from fusebox.runtime.shop_client import Customer, OrderResult

COPIES = 3
DEAD_LETTER_SECONDS = 15


def run(context: DemoContext) -> None:
    console, customer = context.console, context.actions.ready_customer()
    offsets = context.records.end_offsets()
    order = place(customer, wait=WAIT_SECONDS)
    console.event("order", f"{order}")
    record = context.records.order_placed(order.order_id, offsets)
    stock = context.actions.stock()
    context.records.resend(record, COPIES)
    console.event("duplicates", f"its message is sent {COPIES} more times, byte for byte")
    key = context.records.send_poison(beside=record)
    console.event("poison", "and after it one that is not JSON, into the same partition")
    # A partition is read in order: once the poison is a dead letter, the rest has been read too.
    _check_dead_letter(context, key, order)
    _check_duplicates(context, customer, order, stock)
    following = place(customer, wait=WAIT_SECONDS)
    console.check(
        "Neither of them blocks the next order.",
        following.status == CONFIRMED,
        f"{following} after {following.milliseconds:.0f} ms",
    )


def _check_dead_letter(context: DemoContext, key: str, order: OrderResult) -> None:
    letter, waited = eventually(
        lambda: context.records.dead_letter(key),
        lambda dead_letter: dead_letter is not None,
        DEAD_LETTER_SECONDS,
    )
    if letter:
        context.records.drop(letter)
    context.console.trace_link(order.trace_url)
    context.console.check(
        "What cannot be read becomes a dead letter with its reason; `make dead` lists it.",
        letter is not None and bool(letter.dead_reason),
        f"{letter.topic}/{letter.partition}/{letter.offset} after {waited:.1f} s:"
        f" {letter.dead_reason}"
        if letter
        else f"no dead letter within {waited:.0f} s",
    )


def _check_duplicates(
    context: DemoContext, customer: Customer, order: OrderResult, before: int
) -> None:
    after, status = context.actions.stock(), order_statuses(customer, [order])[order.order_id]
    context.console.check(
        "A message that comes again has no second effect.",
        after == before and status == CONFIRMED,
        f"stock {before} before and {after} after; the order is {status}",
    )


STEP = DemoStep(
    "A duplicate and a poison message",
    "Kafka delivers at least once, so a message can come twice; the consumer writes its id into the"
    " inbox together with the effect, and the second copy is dropped. A message that nobody can"
    " read must not block those behind it: it goes to the dead letters.",
    run,
)
