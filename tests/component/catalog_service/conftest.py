"""catalog-service on a real database, and its consumer fed by hand."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, delete, select
from sqlalchemy.orm import Session, sessionmaker

from catalog_service import main, prepare
from catalog_service.messaging import EVENT_TYPES, handle
from catalog_service.models import inbox, outbox
from chassis.data import postgres
from chassis.messaging import cloudevents
from chassis.messaging.event import Event, encode
from chassis.runtime.service import Process

from ...identities import as_gateway


@dataclass
class CatalogService:
    client: FlaskClient
    engine: Engine
    admin: dict[str, str]
    process: Process[Any]
    users: Any

    def product(self, stock: int = 10, price: int = 100) -> str:
        """A new product's id."""
        product_id = f"P-{uuid4()}"
        new = {"productId": product_id, "productName": "P", "unitPrice": price, "stock": stock}
        assert self.client.post("/catalogs", json=new, headers=self.admin).status_code == 201
        return product_id

    def stock(self, product_id: str) -> int:
        return int(self.client.get(f"/catalogs/{product_id}").get_json()["stock"])

    def receive(self, *events: Event) -> list[Any]:
        """Let events have their effect as the consumer does; the outbox rows that come of it."""
        with sessionmaker(self.engine).begin() as session:
            session.execute(delete(outbox.table))
            fresh = inbox.claim(session, events)
            if fresh:
                handle(session, fresh)
        return self.outbox()

    def outbox(self) -> list[Any]:
        with Session(self.engine) as session:
            return list(session.execute(select(outbox.table).order_by(outbox.table.c.position)))


@pytest.fixture(scope="module")
def running(
    process_of: Callable[..., Process[Any]], issuer: Any, roles_server: Any
) -> Iterator[CatalogService]:
    process = process_of("catalog-service")
    prepare.prepare(process)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    app = main.wire(process, engine, issuer.tokens)
    process.registry.instances = {"user-service": (roles_server.instance,)}
    headers = issuer.headers(str(uuid4()), "admin")
    yield CatalogService(as_gateway(app, process), engine, headers, process, roles_server)
    engine.dispose()


@pytest.fixture
def catalog(running: CatalogService) -> CatalogService:
    """The service, whose admin is one, with user-service well and its breaker closed."""
    running.users.recover()
    running.process.breakers.of("user-service")._breaker.close()
    return running


@pytest.fixture
def event_of() -> Callable[..., Event]:
    """`event_of("order.placed", orderId=…, lines=[…])`: an event as it comes off the topic."""

    def made(type: str, **data: Any) -> Event:
        headers = [("ce_id", str(uuid4())), ("ce_type", type), ("ce_source", "order-service")]
        encoded = [(name, value.encode()) for name, value in headers]
        event = cloudevents.parse(b"key", encode(data), encoded, EVENT_TYPES)
        assert event
        return event

    return made
