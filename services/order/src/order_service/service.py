"""What can be done with orders: place, look, cancel."""

import logging
from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from chassis.core.errors import NotFound, Unavailable
from chassis.data.group_commit import GroupCommit, Siblings, outcome_of
from chassis.observability.tracing import Tracer
from chassis.resilience import deadline
from chassis.web import pagination
from chassis.web.pagination import Page
from order_service import statements
from order_service.commands import CancelOrder, Command, PlaceOrder, executor, owned
from order_service.idempotency import Claim
from order_service.models import Order, OrderLineRequest, ProductSnapshot, check, last_known

log = logging.getLogger(__name__)

CATALOG = "catalog-service"
Products = Mapping[str, ProductSnapshot]
# Asks catalog-service for products by their ids, for so many orders; raises Unavailable.
FetchProducts = Callable[[Sequence[str], int], Products]


class Orders:
    """The use cases.

    Each reads as if its request were alone; what many requests want at the same moment is asked
    for once, and committed once.
    """

    def __init__(
        self,
        engine: Engine,
        sessions: sessionmaker[Session],
        fetch_products: FetchProducts,
        tracer: Tracer,
    ) -> None:
        # A read is one statement: with no transaction around it, it is one round trip.
        self._reads = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._fetch_products = fetch_products
        self._siblings = Siblings()
        self._products = GroupCommit[Sequence[str], tuple[Products, list[str]]](
            "fetch products", self._products_for_all, tracer, self._siblings
        )
        self._commands = GroupCommit[Command, Order](
            "commit orders", executor(sessions), tracer, self._siblings
        )

    def place(
        self, user_id: UUID, lines: list[OrderLineRequest], claim: Claim | None = None
    ) -> tuple[Order, list[str]]:
        """A PENDING order, and the names of the services that were away when it was checked.

        Raises NotFound `product-unknown`, Conflict `out-of-stock` or `price-changed`.
        """
        with self._siblings:
            # Prices are fetched before the transaction opens: no lock waits on the network.
            products, degraded = self._products.submit([line.product_id for line in lines])
            order = Order.place(user_id, check(lines, products))
            deadline.check()
            self._commands.submit(PlaceOrder(order, degraded, claim))
        missing = f", degraded: {', '.join(degraded)}" if degraded else ""
        log.info("order %s placed, total %d%s", order.order_id, order.total_price, missing)
        return order, degraded

    def order(self, user_id: UUID, order_id: UUID) -> Order:
        with self._reads.connect() as connection:
            return owned(statements.read_order(connection, user_id, order_id), user_id)

    def orders(self, user_id: UUID, page: Page) -> tuple[list[Order], str | None]:
        """A page, the newest first, and the key of its last row if more follow."""
        before = None if page.after is None else pagination.id_of(page.after)
        with self._reads.connect() as connection:
            rows = statements.read_orders(connection, user_id, before, page.limit + 1)
        more = len(rows) > page.limit
        return rows[: page.limit], str(rows[page.limit - 1].order_id) if more else None

    def require_open_account(self, user_id: UUID) -> None:
        """For an admin who looks at another's orders.  Raises NotFound when that one has left."""
        with self._reads.connect() as connection:
            closed = statements.closed_accounts(connection, [user_id])
        if closed:
            raise account_closed()

    def cancel(self, user_id: UUID, order_id: UUID, claim: Claim | None = None) -> Order:
        """Raises Conflict `too-late` unless the order is PENDING or CONFIRMED."""
        with self._siblings:
            cancelled = self._commands.submit(CancelOrder(user_id, order_id, claim))
        log.info("order %s cancelled", order_id)
        return cancelled

    def _products_for_all(
        self, requests: Sequence[Sequence[str]]
    ) -> list[tuple[Products, list[str]] | Exception]:
        """The products of each of `requests`, asked for once, and who was away."""
        product_ids = list(dict.fromkeys(id for request in requests for id in request))
        try:
            return [(self._fetch_products(product_ids, len(requests)), [])] * len(requests)
        except Unavailable:
            with self._reads.connect() as connection:
                facts = statements.product_facts(connection, product_ids)
            return [
                outcome_of(lambda request=request: (last_known(request, facts), [CATALOG]))  # type: ignore[misc]
                for request in requests
            ]


def account_closed() -> NotFound:
    return NotFound("This account was closed.", code="account-closed")
