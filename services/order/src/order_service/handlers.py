"""Events in: catalog-service has decided, a product is another, a user has left."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.messaging.cloudevents import Event
from order_service.events import ProductChanged, StockRejected, StockReserved, UserDeleted
from order_service.models import ALLOWED_FROM, ClosedAccount, Order, OrderStatus, ProductFact


def handler(decided: Callable[[], None]) -> Callable[[Session, Sequence[Event]], None]:
    """Handles a batch in a few statements, and calls `decided` after the commit."""

    def handle(session: Session, events: Sequence[Event]) -> None:
        said: dict[type, list[Any]] = {}
        for each in events:
            said.setdefault(type(each.data), []).append(each.data)
        _decide(session, said.get(StockReserved, []), said.get(StockRejected, []))
        _learn(session, said.get(ProductChanged, []))
        _close(session, said.get(UserDeleted, []))
        sqlalchemy_event.listen(session, "after_commit", lambda _: decided(), once=True)

    return handle


def _decide(session: Session, reserved: list[StockReserved], rejected: list[StockRejected]) -> None:
    if reserved:
        _move(session, OrderStatus.CONFIRMED, [each.order_id for each in reserved])
    for reason in {each.reason for each in rejected}:
        ids = [each.order_id for each in rejected if each.reason == reason]
        _move(session, OrderStatus.REJECTED, ids, reason=reason)


def _move(session: Session, to: OrderStatus, order_ids: list[Any], **values: Any) -> None:
    # A statement a batch, where objects would cost one an order.  The states are the rule: an
    # order that was cancelled meanwhile stays so, and catalog-service is told by its own event.
    session.execute(
        update(Order)
        .where(Order.order_id.in_(order_ids), Order.status.in_(ALLOWED_FROM[to]))
        .values(status=to, version=Order.version + 1, **values)
        .execution_options(synchronize_session=False)
    )


def _learn(session: Session, changes: list[ProductChanged]) -> None:
    newest: dict[str, ProductChanged] = {}
    for change in changes:
        known = newest.get(change.product_id)
        if known is None or known.version < change.version:
            newest[change.product_id] = change
    if not newest:
        return
    statement = insert(ProductFact).values(
        [
            {
                "product_id": each.product_id,
                "unit_price": each.unit_price,
                "stock": each.stock,
                "version": each.version,
            }
            for each in sorted(newest.values(), key=lambda each: each.product_id)
        ]
    )
    new = statement.excluded
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[ProductFact.product_id],
            set_={"unit_price": new.unit_price, "stock": new.stock, "version": new.version},
            where=ProductFact.version < new.version,
        )
    )


def _close(session: Session, deleted: list[UserDeleted]) -> None:
    if deleted:
        users = {each.user_id for each in deleted}
        session.execute(
            insert(ClosedAccount)
            .values([{"user_id": user_id} for user_id in sorted(users)])
            .on_conflict_do_nothing()
        )
