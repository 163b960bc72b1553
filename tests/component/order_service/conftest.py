"""order-service on a real database, beside a catalog-service whose answers a test decides."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from chassis.data import postgres
from chassis.discovery.instances import Instance
from chassis.messaging import cloudevents
from chassis.messaging.event import Event, encode
from chassis.runtime.service import Process
from order_service import main, prepare
from order_service.closed_accounts import ClosedAccounts
from order_service.messaging import EVENT_TYPES, handler
from order_service.models import inbox, outbox
from order_service.settings import OrderSettings
from order_service.statements import Move

from ...identities import as_gateway


@dataclass
class CatalogService:
    """Answers with `offers`, or with `status` alone when that is not 200; `questions` are kept.

    While `open` is not set it does not answer, and what has `breaks_on` in its path breaks it.
    """

    status: int = 200
    breaks_on: str = ""
    offers: list[dict[str, Any]] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    open: threading.Event = field(default_factory=threading.Event)

    def recover(self) -> None:
        self.status, self.breaks_on = 200, ""
        self.questions.clear()
        self.open.set()
        self.offers = [
            {"productId": "A", "unitPrice": 100, "stock": 10},
            {"productId": "B", "unitPrice": 7, "stock": 3},
        ]


@dataclass
class User:
    """Somebody with a token, and a hand on the service behind the API."""

    client: FlaskClient
    engine: Engine
    catalog: CatalogService
    process: Process[Any]
    issuer: Any
    user_id: str
    decided: set[UUID] = field(default_factory=set)
    moved: dict[UUID, Move] = field(default_factory=dict)
    users: Any = None

    def place(self, key: str | None = None, **body: Any) -> TestResponse:
        headers = {"Idempotency-Key": key} if key else {}
        return self.call("POST", "orders", json=body, headers=headers)

    def call(self, method: str, path: str, **given: Any) -> TestResponse:
        headers = {**self.issuer.headers(self.user_id), **given.pop("headers", {})}
        return self.client.open(f"/{self.user_id}/{path}", method=method, headers=headers, **given)

    def status(self, order_id: str) -> str:
        return str(self.call("GET", f"orders/{order_id}").get_json()["status"])

    def receive(self, type: str, **data: Any) -> None:
        """Let an event have its effect as the consumer does."""
        self.receive_together((type, data))

    def receive_together(self, *events: tuple[str, dict[str, Any]]) -> None:
        """Let events have their effect as one batch."""
        parsed = [_event(type, data) for type, data in events]
        with sessionmaker(self.engine).begin() as session:
            handle = handler(decided=self.note, closed=lambda: None)
            handle(session, inbox.claim(session, parsed))

    def settle(self, second_pass_seconds: float = 60) -> None:
        """Let closed accounts be looked through as the background thread does."""
        sessions = sessionmaker(self.engine)
        accounts = ClosedAccounts(sessions, self.decided.update, second_pass_seconds)
        accounts.settle_all(threading.Event())

    def note(self, order_ids: set[UUID], moved: Mapping[UUID, Move]) -> None:
        self.decided.update(order_ids)
        self.moved.update(moved)

    def recorded(self, order_id: str) -> list[str]:
        """The types of the events written for an order."""
        query = select(outbox.table.c.type).where(outbox.table.c.key == order_id)
        with Session(self.engine) as session:
            return list(session.scalars(query.order_by(outbox.table.c.position)))


def _event(type: str, data: dict[str, Any]) -> Event:
    headers = [("ce_id", str(uuid4())), ("ce_type", type), ("ce_source", "test")]
    encoded = [(name, value.encode()) for name, value in headers]
    event = cloudevents.parse(b"key", encode(data), encoded, EVENT_TYPES)
    assert event
    return event


@pytest.fixture(scope="module")
def running(
    process_of: Callable[..., Process[Any]], issuer: Any, roles_server: Any
) -> Iterator[User]:
    process = process_of("order-service", OrderSettings)
    prepare.prepare(process)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    app = main.wire(process, engine, issuer.tokens)
    catalog = CatalogService()
    server = _serve(catalog)
    there = Instance("catalog-service-1", "catalog-service", "127.0.0.1", server.server_port)
    process.registry.instances = {
        "catalog-service": (there,),
        "user-service": (roles_server.instance,),
    }
    yield User(as_gateway(app, process), engine, catalog, process, issuer, "", users=roles_server)
    server.shutdown()
    server.server_close()
    engine.dispose()


@pytest.fixture
def user(running: User) -> User:
    """A new user, with the other services well and the breakers closed; every admin is one."""
    running.catalog.recover()
    running.users.recover()
    for service in ("catalog-service", "user-service"):
        running.process.breakers.of(service)._breaker.close()
    running.user_id = str(uuid4())
    return running


def _serve(catalog: CatalogService) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            catalog.questions.append(self.path)
            assert catalog.open.wait(10)
            body = json.dumps(catalog.offers).encode()
            is_broken = catalog.breaks_on and catalog.breaks_on in self.path
            self.send_response(500 if is_broken else catalog.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
