"""What can be done with orders: place, look, cancel."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from chassis.chaos import kill_points
from chassis.core.errors import Conflict, NotFound, Unauthenticated, Unavailable
from chassis.resilience import deadline
from chassis.web.pagination import Page
from order_service import events
from order_service.clients import CatalogClient, Offer
from order_service.idempotency import Claim
from order_service.models import ClosedAccount, Line, Order, ProductFact
from order_service.tables import outbox
from order_service.views import order_json

CATALOG = "catalog-service"


@dataclass(frozen=True)
class Wanted:
    """`unit_price` is what the user believes it costs, if anything."""

    product_id: str
    qty: int
    unit_price: int | None = None


class Orders:
    def __init__(self, sessions: sessionmaker[Session], catalog: CatalogClient) -> None:
        self._sessions = sessions
        self._catalog = catalog

    def place(
        self, user_id: UUID, wanted: list[Wanted], claim: Claim | None = None
    ) -> tuple[Order, list[str]]:
        """A PENDING order, and the names of the services that were away when it was judged.

        Raises NotFound `product-unknown`, Conflict `out-of-stock` or `price-changed`.
        """
        # Prices are fetched before the transaction opens: no lock waits on the network.
        offers, degraded = self._offers([each.product_id for each in wanted])
        order = Order.place(user_id, judge(wanted, offers))
        deadline.check()
        with self._sessions.begin() as session:
            _require_open(session, user_id)
            session.add(order)
            outbox.record(session, [events.order_placed(order)])
            if claim is not None:
                claim.settle(session, order_json(order, degraded))
            kill_points.kill_point(kill_points.BEFORE_COMMIT)
        kill_points.kill_point(kill_points.AFTER_COMMIT)
        return order, degraded

    def order(self, user_id: UUID, order_id: UUID) -> Order:
        with self._sessions() as session:
            _require_open(session, user_id)
            return _found(session.get(Order, order_id), user_id)

    def orders(self, user_id: UUID, page: Page) -> tuple[list[Order], str | None]:
        """A page, the newest first, and the key of its last row if more follow."""
        query = select(Order).where(Order.user_id == user_id)
        if page.after is not None:
            query = query.where(Order.order_id < UUID(page.after))
        with self._sessions() as session:
            _require_open(session, user_id)
            found = list(
                session.scalars(query.order_by(Order.order_id.desc()).limit(page.limit + 1))
            )
        more = len(found) > page.limit
        return found[: page.limit], str(found[page.limit - 1].order_id) if more else None

    def cancel(self, user_id: UUID, order_id: UUID, claim: Claim | None = None) -> Order:
        """Raises Conflict `too-late` unless the order is PENDING or CONFIRMED."""
        with self._sessions.begin() as session:
            _require_open(session, user_id)
            order = _found(session.get(Order, order_id, with_for_update=True), user_id)
            order.cancel()
            outbox.record(session, [events.order_cancelled(order)])
            if claim is not None:
                claim.settle(session, order_json(order))
        return order

    def _offers(self, product_ids: list[str]) -> tuple[dict[str, Offer], list[str]]:
        try:
            return self._catalog.offers(product_ids), []
        except Unavailable:
            return self._heard(product_ids), [CATALOG]

    def _heard(self, product_ids: list[str]) -> dict[str, Offer]:
        """The last facts heard; a product never heard of may exist, so nobody can judge it now."""
        with self._sessions() as session:
            facts = list(
                session.scalars(select(ProductFact).where(ProductFact.product_id.in_(product_ids)))
            )
        offers = {
            fact.product_id: Offer(
                product_id=fact.product_id, unit_price=fact.unit_price, stock=fact.stock
            )
            for fact in facts
        }
        unheard = [each for each in product_ids if each not in offers]
        if unheard:
            raise Unavailable(
                f"catalog-service is away and {', '.join(unheard)} is not known here; nothing "
                "was ordered.",
                products=unheard,
            )
        return offers


def judge(wanted: list[Wanted], offers: Mapping[str, Offer]) -> list[Line]:
    """The lines at the offered prices, or the Problem that stands against them."""
    unknown = [each.product_id for each in wanted if each.product_id not in offers]
    if unknown:
        raise NotFound(
            f"There is no product {', '.join(unknown)}.", code="product-unknown", products=unknown
        )
    dearer = [
        each.product_id
        for each in wanted
        if each.unit_price not in (None, offers[each.product_id].unit_price)
    ]
    if dearer:
        raise Conflict(
            f"The price of {', '.join(dearer)} is another by now.",
            code="price-changed",
            products=dearer,
        )
    short = [each.product_id for each in wanted if offers[each.product_id].stock < each.qty]
    if short:
        raise Conflict(
            f"There is not enough left of {', '.join(short)}.", code="out-of-stock", products=short
        )
    return [Line(each.product_id, each.qty, offers[each.product_id].unit_price) for each in wanted]


def _require_open(session: Session, user_id: UUID) -> None:
    if session.get(ClosedAccount, user_id) is not None:
        raise Unauthenticated("This account was closed.")


def _found(order: Order | None, user_id: UUID) -> Order:
    if order is None or order.user_id != user_id:
        raise NotFound("There is no such order.", code="order-unknown")
    return order
