"""What can be done with the catalog: look and change."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from catalog_service.messaging import product_changed
from catalog_service.models import Product, outbox
from chassis.core.errors import Conflict, NotFound
from chassis.web.pagination import Page


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
            rows = list(session.scalars(query))
        more = len(rows) > page.limit
        return rows[: page.limit], rows[page.limit - 1].product_id if more else None

    def of(self, product_ids: Sequence[str]) -> list[Product]:
        """Those of `product_ids` that there are."""
        with self._sessions() as session:
            return list(session.scalars(select(Product).where(Product.product_id.in_(product_ids))))

    def product(self, product_id: str) -> Product:
        with self._sessions() as session:
            return _existing(session.get(Product, product_id), product_id)

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
            product = _existing(session.get(Product, product_id, with_for_update=True), product_id)
            product.change(name, unit_price, add_stock)
            outbox.record(session, [product_changed(product)])
        return product


def _existing(product: Product | None, product_id: str) -> Product:
    if product is None:
        raise NotFound(f"There is no product {product_id}.", code="product-unknown")
    return product


def add_if_new(session: Session, product: Product) -> bool:
    """Insert, with its event; the primary key decides whether it is new."""
    values = {
        column.key: getattr(product, column.key)
        for column in Product.__table__.columns
        if column.key != "created_at"
    }
    added = session.execute(
        insert(Product).values(values).on_conflict_do_nothing().returning(Product.product_id)
    ).scalar()
    if added:
        outbox.record(session, [product_changed(product)])
    return added is not None
