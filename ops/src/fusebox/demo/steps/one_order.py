"""An order, and its whole way as one trace."""

from __future__ import annotations

from collections.abc import Sequence

from fusebox.demo.assertions import Order, Span, is_one_trace, missing_hops, service, topic
from fusebox.demo.context import Scene, Step
from fusebox.demo.inspection import eventually
from fusebox.demo.shop_actions import CONFIRMED, HELD_SECONDS, TEAPOT, place

TRACE_SECONDS = 15
WHAT = {
    "SERVER": "answers",
    "CLIENT": "asks",
    "PRODUCER": "sends to",
    "CONSUMER": "reads from",
}


def play(scene: Scene) -> None:
    stage, customer = scene.stage, scene.trading.opened()
    before = scene.trading.stock()
    order = place(customer, wait=HELD_SECONDS)
    stage.tell("order", f"1 {TEAPOT.name}: {order} after {order.milliseconds:.0f} ms")
    stage.hold(
        "The answer of an order may be held until it is decided.",
        order.status == CONFIRMED,
        f"{order} in the answer itself",
    )
    after = scene.trading.stock()
    stage.hold(
        "Its stock is taken, once.",
        after == before - 1,
        f"{before} on the shelf before, {after} after",
    )
    _hold_trace(scene, order)


def _hold_trace(scene: Scene, order: Order) -> None:
    spans, waited = eventually(lambda: scene.looking.trace(order.trace), _is_whole, TRACE_SECONDS)
    scene.stage.show(picture(spans))
    scene.stage.link(order.trace)
    processes = {service(span) for span in spans}
    seen = f"{len(spans)} spans of {len(processes)} processes, in Zipkin {waited:.1f} s later"
    missing = missing_hops(spans)
    scene.stage.hold(
        "The gateway, order-service, catalog-service and both Kafka hops are one trace.",
        _is_whole(spans),
        f"{seen}; missing: {', '.join(missing)}" if missing else seen,
    )


def _is_whole(spans: Sequence[Span]) -> bool:
    return not missing_hops(spans) and is_one_trace(spans)


def picture(spans: Sequence[Span]) -> list[str]:
    """A line for each span: when it began, who did what, and how long it took."""
    start = min((span["timestamp"] for span in spans), default=0)
    return [
        f"{(span['timestamp'] - start) / 1000:7.1f} ms  {service(span):<15}"
        f" {WHAT.get(span.get('kind', ''), '?'):<10} {_what(span):<26.26}"
        f" {span['duration'] / 1000:7.1f} ms"
        for span in spans
    ]


def _what(span: Span) -> str:
    return f"Kafka, {topic(span)}" if topic(span) else str(span.get("name", ""))


STEP = Step(
    "An order and its trace",
    "One order crosses every part: the gateway, order-service, catalog-service for the price, then"
    " Kafka twice, for the stock and for the answer. Each hop hands the trace on, so that one"
    " picture shows the whole way.",
    play,
)
