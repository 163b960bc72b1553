"""An order, and its whole way as one trace."""

from __future__ import annotations

from collections.abc import Sequence

from fusebox.demo.assertions import Span, is_one_trace, missing_spans, service, topic
from fusebox.demo.context import DemoContext, DemoStep
from fusebox.demo.inspection import eventually
from fusebox.demo.shop_actions import CONFIRMED, TEAPOT, WAIT_SECONDS, place
from fusebox.runtime.shop_client import OrderResult

TRACE_SECONDS = 15
VERBS = {
    "SERVER": "answers",
    "CLIENT": "calls",
    "PRODUCER": "sends to",
    "CONSUMER": "reads from",
}


def run(context: DemoContext) -> None:
    console, customer = context.console, context.actions.ready_customer()
    before = context.actions.stock()
    order = place(customer, wait=WAIT_SECONDS)
    console.event("order", f"1 {TEAPOT.name}: {order} after {order.milliseconds:.0f} ms")
    console.check(
        "The answer to an order can wait until the order is decided.",
        order.status == CONFIRMED,
        f"{order} in the answer itself",
    )
    after = context.actions.stock()
    console.check(
        "Its stock is taken, once.",
        after == before - 1,
        f"stock {before} before, {after} after",
    )
    _check_trace(context, order)


def _check_trace(context: DemoContext, order: OrderResult) -> None:
    spans, waited = eventually(
        lambda: context.inspection.trace(order.trace_url), _is_complete, TRACE_SECONDS
    )
    context.console.show(picture(spans))
    context.console.trace_link(order.trace_url)
    processes = {service(span) for span in spans}
    evidence = f"{len(spans)} spans of {len(processes)} processes, in Zipkin {waited:.1f} s later"
    missing = missing_spans(spans)
    context.console.check(
        "The gateway, order-service, catalog-service and both Kafka hops are one trace.",
        _is_complete(spans),
        f"{evidence}; missing: {', '.join(missing)}" if missing else evidence,
    )


def _is_complete(spans: Sequence[Span]) -> bool:
    return not missing_spans(spans) and is_one_trace(spans)


def picture(spans: Sequence[Span]) -> list[str]:
    """A line for each span: when it began, who did what, and how long it took."""
    start = min((span["timestamp"] for span in spans), default=0)
    return [
        f"{(span['timestamp'] - start) / 1000:7.1f} ms  {service(span):<15}"
        f" {VERBS.get(span.get('kind', ''), '?'):<10} {_object(span):<26.26}"
        f" {span['duration'] / 1000:7.1f} ms"
        for span in spans
    ]


def _object(span: Span) -> str:
    return f"Kafka, {topic(span)}" if topic(span) else str(span.get("name", ""))


STEP = DemoStep(
    "An order and its trace",
    "One order crosses every part: the gateway, order-service, catalog-service for the price, then"
    " Kafka twice, for the stock and for the answer. The trace context goes with it all the way, so"
    " one picture shows it whole.",
    run,
)
