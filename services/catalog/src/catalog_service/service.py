"""What can be done with the catalog: look, change, and decide on orders."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from catalog_service import events
from catalog_service.models import (
    Product,
    Quantities,
    Reservation,
    ReservationStatus,
    on_shelf,
    release,
    reserve,
    shortage,
)
from catalog_service.tables import outbox
from chassis.core.errors import Conflict, NotFound
from chassis.messaging.outbox import Message
from chassis.observability.tracing import ZipkinAttrs
from chassis.web.pagination import Page

Shelf = dict[str, Product]


class Catalog:
    """The use cases of the HTTP interface; each is one transaction."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def products(self, page: Page) -> tuple[list[Product], str | None]:
        """A page in the order of the ids, and the key of its last row if more follow."""
        with self._sessions() as session:
            query = select(Product).order_by(Product.product_id).limit(page.limit + 1)
            if page.after is not None:
                query = query.where(Product.product_id > page.after)
            found = list(session.scalars(query))
        more = len(found) > page.limit
        return found[: page.limit], found[page.limit - 1].product_id if more else None

    def of(self, product_ids: Sequence[str]) -> list[Product]:
        """Those of `product_ids` that there are."""
        with self._sessions() as session:
            return list(session.scalars(select(Product).where(Product.product_id.in_(product_ids))))

    def product(self, product_id: str) -> Product:
        with self._sessions() as session:
            return _found(session.get(Product, product_id), product_id)

    def create(self, product_id: str, name: str, unit_price: int, stock: int) -> Product:
        product = Product.create(product_id, name, unit_price, stock)
        with self._sessions.begin() as session:
            if not add_if_new(session, product):
                raise Conflict(f"There is a product {product_id} already.", code="product-exists")
            return session.get_one(Product, product_id)

    def change(
        self, product_id: str, name: str | None, unit_price: int | None, add_stock: int | None
    ) -> Product:
        with self._sessions.begin() as session:
            product = _found(session.get(Product, product_id, with_for_update=True), product_id)
            product.change(name, unit_price, add_stock)
            outbox.record(session, [events.product_changed(product)])
        return product


def _found(product: Product | None, product_id: str) -> Product:
    if product is None:
        raise NotFound(f"There is no product {product_id}.", code="product-unknown")
    return product


def add_if_new(session: Session, product: Product) -> bool:
    """Insert and tell; the primary key decides whether it is new."""
    values = {
        column.key: getattr(product, column.key)
        for column in Product.__table__.columns
        if column.key != "created_at"
    }
    added = session.execute(
        insert(Product).values(values).on_conflict_do_nothing().returning(Product.product_id)
    ).scalar()
    if added:
        outbox.record(session, [events.product_changed(product)])
    return added is not None


class Decisions:
    """Decides on a batch of orders within one transaction.

    Rows are read and locked once for the whole batch, reservations first and products in the order
    of their ids, so that two instances cannot deadlock and a batch costs few round trips.
    """

    def __init__(self, session: Session, orders: set[UUID], products: set[str]) -> None:
        self._session = session
        self._reservations = {
            found.order_id: found
            for found in session.scalars(
                select(Reservation).where(Reservation.order_id.in_(orders)).with_for_update()
            )
        }
        held = {each for found in self._reservations.values() for each in found.quantities}
        self._shelf: Shelf = on_shelf(
            session.scalars(
                select(Product)
                .where(Product.product_id.in_(products | held))
                .order_by(Product.product_id)
                .with_for_update()
            )
        )
        self._messages: list[Message] = []
        self._causes: dict[str, ZipkinAttrs | None] = {}

    def place(self, order_id: UUID, wanted: Quantities, cause: ZipkinAttrs | None) -> None:
        """Reserve all or reject; an order that has been decided, or cancelled, is left alone."""
        if order_id in self._reservations:
            return
        missing = shortage(wanted, self._shelf)
        reservation = self._add(reserve(order_id, wanted, self._shelf))
        if missing:
            gone = any(product_id not in self._shelf for product_id in missing)
            reason = "product-unknown" if gone else "out-of-stock"
            self._messages.append(events.stock_rejected(order_id, reason, missing, cause=cause))
        else:
            self._messages.append(events.stock_reserved(reservation, cause=cause))
            self._causes.update(dict.fromkeys(wanted, cause))

    def cancel(self, order_id: UUID, cause: ZipkinAttrs | None) -> None:
        """Give back what the order holds, or remember that nothing may be taken for it."""
        reservation = self._reservations.get(order_id)
        if reservation is None:
            self._add(Reservation(order_id=order_id, status=ReservationStatus.CANCELLED, lines=[]))
        elif release(reservation, self._shelf):
            self._causes.update(dict.fromkeys(reservation.quantities, cause))

    def tell(self) -> None:
        """Write the answers, and one `product.changed` for each product that was touched."""
        changes = [
            events.product_changed(self._shelf[product_id], cause=cause)
            for product_id, cause in self._causes.items()
        ]
        outbox.record(self._session, [*self._messages, *changes])

    def _add(self, reservation: Reservation) -> Reservation:
        self._session.add(reservation)
        self._reservations[reservation.order_id] = reservation
        return reservation
