"""What can be done with the catalog: look and change."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session, sessionmaker

from catalog_service import statements
from catalog_service.messaging import product_changed
from catalog_service.models import Product, outbox
from chassis.audit.entry import AuditEntry
from chassis.audit.events import audit_recorded
from chassis.core.errors import Conflict, NotFound
from chassis.data.group_commit import GroupCommit
from chassis.observability.tracing import Tracer
from chassis.web.pagination import Page


class Catalog:
    """The use cases of the HTTP interface; each change is one transaction."""

    def __init__(self, engine: Engine, sessions: sessionmaker[Session], tracer: Tracer) -> None:
        # A read is one statement: with no transaction around it, it is one round trip.
        self._reads = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._sessions = sessions
        self._pages = GroupCommit[Page, tuple[list[Product], str | None]](
            "read catalog", self._read_pages, tracer
        )

    def products(self, page: Page) -> tuple[list[Product], str | None]:
        """A page in the order of the ids, and the key of its last row if more follow.

        Those who want the same page at the same moment get it by one query, begun after they came.
        """
        return self._pages.submit(page)

    def of(self, product_ids: Collection[str]) -> list[Product]:
        """Those of `product_ids` that there are."""
        with self._reads.connect() as connection:
            return statements.products_of(connection, product_ids)

    def product(self, product_id: str) -> Product:
        return _existing(next(iter(self.of([product_id])), None), product_id)

    def create(
        self, product_id: str, name: str, unit_price: int, stock: int, audit: AuditEntry
    ) -> Product:
        product = Product.create(product_id, name, unit_price, stock)
        with self._sessions.begin() as session:
            if not add_if_new(session, product):
                raise exists(product_id)
            outbox.record(session, [audit_recorded(audit)])
        return product

    def change(
        self,
        product_id: str,
        name: str | None,
        unit_price: int | None,
        add_stock: int | None,
        audit: AuditEntry,
    ) -> Product:
        with self._sessions.begin() as session:
            shelf = statements.lock_products(session, [product_id])
            product = _existing(shelf.get(product_id), product_id)
            product.change(name, unit_price, add_stock)
            statements.update_products(session, [product])
            outbox.record(session, [product_changed(product), audit_recorded(audit)])
        return product

    def _read_pages(self, pages: Sequence[Page]) -> list[tuple[list[Product], str | None]]:
        with self._reads.connect() as connection:
            read = {page: _read_page(connection, page) for page in set(pages)}
        return [read[page] for page in pages]


def _read_page(connection: Connection, page: Page) -> tuple[list[Product], str | None]:
    rows = statements.page(connection, page.after, page.limit + 1)
    more = len(rows) > page.limit
    return rows[: page.limit], rows[page.limit - 1].product_id if more else None


def _existing(product: Product | None, product_id: str) -> Product:
    if product is None:
        raise unknown(product_id)
    return product


def add_if_new(session: Session, product: Product) -> bool:
    """Insert, with its event."""
    is_new = statements.insert_product(session, product)
    if is_new:
        outbox.record(session, [product_changed(product)])
    return is_new


def exists(product_id: str) -> Conflict:
    return Conflict(f"There is a product {product_id} already.", code="product-exists")


def unknown(product_id: str) -> NotFound:
    return NotFound(f"There is no product {product_id}.", code="product-unknown")
