"""What can be done with orders: place, look, cancel."""

from collections.abc import Callable, Mapping, Sequence
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from chassis.core.errors import NotFound, Unavailable
from chassis.data.group_commit import GroupCommit, outcome_of
from chassis.observability.tracing import Tracer
from chassis.web import pagination
from chassis.web.pagination import Page
from order_service import statements
from order_service.commands import CancelOrder, Placement, executor, owned
from order_service.idempotency import Claim
from order_service.models import Order, OrderLineRequest, ProductSnapshot

CATALOG = "catalog-service"
Products = Mapping[str, ProductSnapshot]
# Asks catalog-service for products by their ids, for so many orders; raises Unavailable.
FetchProducts = Callable[[Sequence[str], int], Products]
PlacedOrder = tuple[Order, list[str]]


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
        self._execute = executor(sessions)
        # Cancels ask nobody, and do not wait for those who do.
        self._placements = GroupCommit[Placement, PlacedOrder](
            "place orders", self._place_all, tracer
        )
        self._cancels = GroupCommit[CancelOrder, Order]("cancel orders", self._execute, tracer)

    def place(
        self,
        user_id: UUID,
        lines: list[OrderLineRequest],
        claim: Claim | None = None,
        *,
        is_awaited: bool = False,
    ) -> PlacedOrder:
        """A PENDING order, and the names of the services that were away when it was checked.

        Raises NotFound `product-unknown`, Conflict `out-of-stock` or `price-changed`.
        """
        return self._placements.submit(Placement(user_id, lines, claim, is_awaited))

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
        return self._cancels.submit(CancelOrder(user_id, order_id, claim))

    def _place_all(self, requests: Sequence[Placement]) -> list[PlacedOrder | Exception]:
        # Prices are fetched before the transaction opens: no lock waits on the network.
        products, degraded = self._products_of(requests)
        checked = [
            outcome_of(lambda request=request: request.command(products, degraded))  # type: ignore[misc]
            for request in requests
        ]
        return [
            (outcome, degraded) if isinstance(outcome, Order) else outcome
            for outcome in self._execute(checked)
        ]

    def _products_of(self, requests: Sequence[Placement]) -> tuple[Products, list[str]]:
        """What is known of all products that `requests` name, and who was away."""
        product_ids = list(
            dict.fromkeys(line.product_id for request in requests for line in request.lines)
        )
        try:
            return self._fetch_products(product_ids, len(requests)), []
        except Unavailable:
            with self._reads.connect() as connection:
                return statements.product_facts(connection, product_ids), [CATALOG]


def account_closed() -> NotFound:
    return NotFound("This account was closed.", code="account-closed")
