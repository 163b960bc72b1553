"""What can be done with orders: place, look, cancel."""

from collections.abc import Callable, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from chassis.chaos import kill_points
from chassis.core.errors import InvalidToken, NotFound, Unavailable
from chassis.resilience import deadline
from chassis.web import pagination
from chassis.web.pagination import Page
from order_service.idempotency import Claim
from order_service.messaging import order_cancelled, order_placed
from order_service.models import (
    ClosedAccount,
    Order,
    OrderLineRequest,
    ProductFact,
    ProductSnapshot,
    check,
    last_known,
    outbox,
)

CATALOG = "catalog-service"
# Asks catalog-service for products by their ids; raises Unavailable.
FetchProducts = Callable[[list[str]], Mapping[str, ProductSnapshot]]


class Orders:
    def __init__(self, sessions: sessionmaker[Session], fetch_products: FetchProducts) -> None:
        self._sessions = sessions
        self._fetch_products = fetch_products

    def place(
        self, user_id: UUID, lines: list[OrderLineRequest], claim: Claim | None = None
    ) -> tuple[Order, list[str]]:
        """A PENDING order, and the names of the services that were away when it was checked.

        Raises NotFound `product-unknown`, Conflict `out-of-stock` or `price-changed`.
        """
        # Prices are fetched before the transaction opens: no lock waits on the network.
        products, degraded = self._products([line.product_id for line in lines])
        order = Order.place(user_id, check(lines, products))
        deadline.check()
        with self._sessions.begin() as session:
            _require_open(session, user_id)
            session.add(order)
            outbox.record(session, [order_placed(order)])
            if claim is not None:
                claim.settle(session, order.order_id, degraded)
            kill_points.kill_point(kill_points.BEFORE_COMMIT)
        kill_points.kill_point(kill_points.AFTER_COMMIT)
        return order, degraded

    def order(self, user_id: UUID, order_id: UUID) -> Order:
        with self._sessions() as session:
            _require_open(session, user_id)
            return _owned(session.get(Order, order_id), user_id)

    def orders(self, user_id: UUID, page: Page) -> tuple[list[Order], str | None]:
        """A page, the newest first, and the key of its last row if more follow."""
        query = select(Order).where(Order.user_id == user_id)
        if page.after is not None:
            query = query.where(Order.order_id < pagination.id_of(page.after))
        with self._sessions() as session:
            _require_open(session, user_id)
            rows = list(
                session.scalars(query.order_by(Order.order_id.desc()).limit(page.limit + 1))
            )
        more = len(rows) > page.limit
        return rows[: page.limit], str(rows[page.limit - 1].order_id) if more else None

    def require_open_accounts(self, admin_id: UUID, user_id: UUID) -> None:
        """For an admin who looks at another's orders.

        Raises InvalidToken when the admin's own account was closed, NotFound when the other's.
        """
        query = select(ClosedAccount.user_id).where(ClosedAccount.user_id.in_([admin_id, user_id]))
        with self._sessions() as session:
            closed = set(session.scalars(query))
        if admin_id in closed:
            raise InvalidToken("This account was closed.")
        if user_id in closed:
            raise NotFound("This account was closed.", code="account-closed")

    def cancel(self, user_id: UUID, order_id: UUID, claim: Claim | None = None) -> Order:
        """Raises Conflict `too-late` unless the order is PENDING or CONFIRMED."""
        with self._sessions.begin() as session:
            _require_open(session, user_id)
            order = _owned(session.get(Order, order_id, with_for_update=True), user_id)
            order.cancel()
            outbox.record(session, [order_cancelled(order)])
            if claim is not None:
                claim.settle(session, order.order_id)
        return order

    def _products(self, product_ids: list[str]) -> tuple[Mapping[str, ProductSnapshot], list[str]]:
        try:
            return self._fetch_products(product_ids), []
        except Unavailable:
            query = select(ProductFact).where(ProductFact.product_id.in_(product_ids))
            with self._sessions() as session:
                return last_known(product_ids, session.scalars(query)), [CATALOG]


def _require_open(session: Session, user_id: UUID) -> None:
    if session.get(ClosedAccount, user_id) is not None:
        raise InvalidToken("This account was closed.")


def _owned(order: Order | None, user_id: UUID) -> Order:
    if order is None or order.user_id != user_id:
        raise NotFound("There is no such order.", code="order-unknown")
    return order
