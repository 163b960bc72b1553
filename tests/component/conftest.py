"""A real PostgreSQL for the component tests, and a service's process with a database of its own."""

import json
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from psycopg import sql

from chassis.config.client import ConfigClient
from chassis.config.settings import Settings
from chassis.core.environment import Environment
from chassis.discovery.instances import Instance
from chassis.runtime.service import Process
from chassis.web.auth import ALGORITHM, AUDIENCE, ISSUER, TokenVerifier
from fusebox.core import secrets
from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME, PORTS
from fusebox.core.wait import wait_until
from fusebox.native import databases, postgres
from fusebox.network import postgres_probe
from fusebox.runtime.subprocesses import account_of

SECONDS_TO_END = 20
ProcessOf = Callable[..., Process[Any]]


@pytest.fixture(scope="session")
def postgres_stack() -> Iterator[Stack]:
    """A stack of which only PostgreSQL runs: its secrets, port, roles and databases."""
    with tempfile.TemporaryDirectory(prefix="fusebox-component-", dir=postgres.REFUGE) as folder:
        # PostgreSQL does not run as root, so another account has to be able to enter.
        Path(folder).chmod(0o755)
        offset = _free_port() - PORTS["postgres"]
        stack = Stack(home=Path(folder), clone=Path(folder), offset=offset)
        stack.make_folders()
        secrets.make_missing(stack)
        place = postgres.place(stack)
        databases.make_cluster(stack, place, _run)
        # Nothing here outlives the tests, so nothing has to reach the disk.
        fast = ["--fsync=off", "--synchronous_commit=off", "--full_page_writes=off"]
        command = [*place.command(stack.port("postgres")), *fast]
        with (
            (stack.logs / "postgres.log").open("wb") as log,
            subprocess.Popen(command, stderr=log, **account_of(place.account)) as server,
        ):
            try:
                at = "127.0.0.1", stack.port("postgres")
                wait_until(lambda: postgres_probe.accepts(*at), 30, "postgres")
                databases.make_databases(stack)
                yield stack
            finally:
                _end(server)
        postgres.remove_refuge(stack)


@pytest.fixture(scope="module")
def process_of(postgres_stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> ProcessOf:
    """`process_of("user-service", UserSettings, {"some.key": 1})`: a process that is not started.

    Each has a fresh, empty database, the secrets of its stack, and nobody in its registry.
    """

    def made(
        service: str, model: type[Settings] = Settings, given: dict[str, Any] | None = None
    ) -> Process[Any]:
        state = tmp_path_factory.mktemp(service)
        role, database = BY_NAME[service].module, state.name
        _make_database(postgres_stack, database, owner=role)
        environment = Environment.read(
            service,
            {"FUSEBOX_SECRETS": str(postgres_stack.secrets), "FUSEBOX_STATE": str(state)},
        )
        url = f"postgresql+psycopg://{role}@127.0.0.1:{postgres_stack.port('postgres')}/{database}"
        source = {"spring.datasource.url": url, **(given or {})}
        configuration = ConfigClient(
            model, environment, lambda: [{"name": "test", "source": source}]
        )
        configuration.load()
        return Process(environment, configuration)

    return made


def _make_database(stack: Stack, name: str, owner: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} OWNER {}")
    with postgres_probe.connect(stack) as connection:
        connection.execute(statement.format(sql.Identifier(name), sql.Identifier(owner)))


def _end(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # the quick way down, whoever is connected
    try:
        server.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        server.kill()  # in its first moments it hears no signal


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _run(command: list[str], account: str | None) -> None:
    subprocess.run(command, check=True, capture_output=True, **account_of(account))


@dataclass(frozen=True)
class Issuer:
    """Signs tokens as user-service does, with a key of the tests' own."""

    key: ec.EllipticCurvePrivateKey
    tokens: TokenVerifier

    def headers(self, subject: str, *roles: str) -> dict[str, str]:
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "roles": roles or ("user",),
            "iat": now,
            "exp": now + 600,
        }
        token = jwt.encode(claims, self.key, ALGORITHM, headers={"kid": "test"})
        return {"Authorization": f"Bearer {token}"}


@dataclass
class RolesServer:
    """user-service as other services ask it for roles: answers all with `status` and `roles`."""

    instance: Instance
    status: int = 200
    roles: list[str] = field(default_factory=lambda: ["user", "admin"])
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def recover(self) -> None:
        self.status, self.roles = 200, ["user", "admin"]
        self.asked.clear()


@pytest.fixture(scope="session")
def roles_server() -> Iterator[RolesServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, self.headers["Authorization"]))
            body = json.dumps({"roles": made.roles}).encode()
            self.send_response(made.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = RolesServer(Instance("user-service-1", "user-service", "127.0.0.1", server.server_port))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def issuer() -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    public = jwt.algorithms.ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    tokens = TokenVerifier(
        lambda: {"keys": [{**public, "kid": "test", "use": "sig", "alg": ALGORITHM}]}
    )
    tokens.refresh()
    return Issuer(key, tokens)
