"""user-service on a real database, beside an order-service whose answers a test decides."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from chassis.data import postgres
from chassis.discovery.instances import Instance
from chassis.runtime.service import Process
from user_service import main, prepare
from user_service.settings import UserSettings

from ...identities import as_gateway

PASSWORD = "correct horse battery"


@dataclass
class OrderService:
    """Answers every GET with `status` and `answer`; `asked` holds what came."""

    status: int = 200
    answer: bytes = b"[]"
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def recover(self) -> None:
        self.status, self.answer = 200, b"[]"
        self.asked.clear()


@dataclass
class UserService:
    """The service as a client sees it, and what a test has to reach behind it."""

    client: FlaskClient
    process: Process[Any]
    engine: Engine
    order_service: OrderService
    order_instances: tuple[Instance, ...]

    def call(self, method: str, path: str, token: str | None = None, **given: Any) -> TestResponse:
        own = {"Authorization": f"Bearer {token}"} if token else {}
        headers = {**given.pop("headers", {}), **own}
        return self.client.open(path, method=method, headers=headers, **given)

    def register(self, **given: Any) -> TestResponse:
        new = {"email": f"{uuid4()}@example.org", "name": "Ada", "password": PASSWORD} | given
        return self.call("POST", "/users", json=new)

    def log_in(self, email: str, password: str = PASSWORD) -> TestResponse:
        return self.call("POST", "/login", json={"email": email, "password": password})

    def token(self, email: str, password: str = PASSWORD) -> str:
        answer = self.log_in(email, password)
        assert answer.status_code == 200, answer.text
        return str(answer.json["accessToken"])  # type: ignore[index]

    def member(self) -> SimpleNamespace:
        """A new account that is logged in: `id`, `path`, `email`, `token`."""
        made = self.register().json
        assert made
        return SimpleNamespace(
            id=made["userId"],
            path=f"/users/{made['userId']}",
            email=made["email"],
            token=self.token(made["email"]),
        )

    def admin_token(self) -> str:
        return self.token(prepare.ADMIN_EMAIL, self.process.environment.secret("admin-password"))


@pytest.fixture(scope="module")
def running(process_of: Callable[..., Process[Any]]) -> Iterator[UserService]:
    limits = {"fusebox.max-body-bytes": 10_000, "fusebox.audit.refusals-per-minute": 6000}
    process = process_of("user-service", UserSettings, limits)
    prepare.prepare(process)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    app = main.wire(process, engine)
    order_service = OrderService()
    server = _serve(order_service)
    instance = Instance("order-service-1", "order-service", "127.0.0.1", server.server_port)
    yield UserService(as_gateway(app, process), process, engine, order_service, (instance,))
    server.shutdown()
    server.server_close()
    engine.dispose()


@pytest.fixture
def users(running: UserService) -> UserService:
    """The service with order-service well again, its breaker included."""
    running.order_service.recover()
    running.process.registry.instances = {"order-service": running.order_instances}
    running.process.breakers.of("order-service")._breaker.close()
    return running


def _serve(order_service: OrderService) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            order_service.asked.append((self.path, dict(self.headers)))
            self.send_response(order_service.status)
            self.send_header("Content-Length", str(len(order_service.answer)))
            self.end_headers()
            self.wfile.write(order_service.answer)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server
