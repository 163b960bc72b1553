"""Events in: an order wants its stock, or gives it back."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy.orm import Session

from catalog_service.events import OrderCancelled, OrderPlaced
from catalog_service.service import Decisions
from chassis.messaging.cloudevents import Event


def handle(session: Session, events: Sequence[Event]) -> None:
    """Decide on `events` in their order; the caller commits."""
    placed = {event.id: _wanted(event.data) for event in events if _is_order(event)}
    decisions = Decisions(
        session,
        orders={event.data.order_id for event in events},
        products={product_id for wanted in placed.values() for product_id in wanted},
    )
    for event in events:
        match event.data:
            case OrderPlaced(order_id=order_id):
                decisions.place(order_id, placed[event.id], event.span)
            case OrderCancelled(order_id=order_id):
                decisions.cancel(order_id, event.span)
    decisions.tell()


def _is_order(event: Event) -> bool:
    return isinstance(event.data, OrderPlaced)


def _wanted(order: OrderPlaced) -> Counter[str]:
    wanted: Counter[str] = Counter()
    for line in order.lines:
        wanted[line.product_id] += line.qty
    return wanted
