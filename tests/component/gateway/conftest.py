"""A real gateway on a free port before real upstreams, all on one event loop in a thread."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import jwt
import pytest
import requests
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from py_zipkin.encoding import Span

from chassis.config.client import ConfigClient
from chassis.core.environment import Environment
from chassis.core.live import Live
from chassis.discovery.instances import Instance
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Tracer
from chassis.runtime.service import Process
from chassis.web.auth import TokenVerifier
from gateway.http import event_loop
from gateway.http.server import HttpServer
from gateway.openapi import description
from gateway.proxy import actuator_pages
from gateway.proxy.handler import GatewayHandler
from gateway.routing.exchange import GatewayFilter
from gateway.rules import GatewayRules
from gateway.settings import GatewaySettings

T = TypeVar("T")
Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
WAIT = 5.0
PATIENCE = 1.0  # of the gateway, for whatever has to come
GET = b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\n"

SOURCE = {
    "fusebox.breaker.fail-max": 3,
    "fusebox.breaker.reset-timeout-seconds": 30,
    "fusebox.gateway.max-body-bytes": 200_000,
    "fusebox.gateway.max-header-bytes": 16_384,
    "fusebox.gateway.read-timeout-seconds": PATIENCE,
    "fusebox.gateway.body-timeout-seconds": PATIENCE,
    "fusebox.gateway.zipkin-ui": "http://zipkin.example",
    **{
        f"spring.cloud.gateway.routes[{i}].{key}": value
        for i, name in enumerate(("order-service", "catalog-service"))
        for key, value in (
            ("id", name),
            ("uri", f"lb://{name}"),
            ("predicates[0]", f"Path=/{name}/**"),
            ("filters[0]", "StripPrefix=1"),
        )
    },
}


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.005)


class Loop:
    """An event loop in a thread, for tests that are clients and block."""

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop = event_loop.new()
        self._thread = threading.Thread(target=self.loop.run_forever, name="servers")
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(WAIT * 2)

    def call(self, work: Callable[[], T]) -> T:
        async def called() -> T:
            return work()

        return self.run(called())

    def close(self) -> None:
        self.run(asyncio.sleep(0.01))  # what has been closed is gone after a turn or two
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(WAIT)
        self.loop.close()


@dataclass
class Upstream:
    """An instance of a service: answers as told, and remembers what it was asked."""

    loop: Loop
    answer: Answer
    port: int = 0
    host: str = "127.0.0.1"
    seen: list[web.BaseRequest] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    gone: threading.Event = field(default_factory=threading.Event)
    _runner: web.ServerRunner | None = None

    async def start(self) -> None:
        server = web.Server(
            self._handle,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            max_field_size=65_536,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append(request)
        try:
            return await self.answer(request)
        except asyncio.CancelledError:
            self.gone.set()
            raise


async def echo(request: web.BaseRequest) -> web.StreamResponse:
    """Everything about a request as the service saw it."""
    body = await request.read()
    return web.json_response(
        {
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": body.decode("latin-1"),
        }
    )


class Shop:
    """The gateway as a client sees it, and the upstreams behind it."""

    def __init__(self, folder: Path) -> None:
        self.servers = Loop()
        environment = Environment.read(
            "gateway", {"FUSEBOX_STATE": str(folder), "FUSEBOX_SECRETS": str(folder / "secrets")}
        )
        configuration = ConfigClient(
            GatewaySettings, environment, lambda: [{"name": "test", "source": dict(self.source)}]
        )
        self.source: dict[str, Any] = dict(SOURCE)
        configuration.load()
        self.configuration = configuration
        self.process = Process(environment, configuration)
        self.spans: list[Span] = []
        self.process.tracer = Tracer("gateway", Sampler(Live(SamplingRules())), self.spans.append)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.tokens = TokenVerifier(self._jwks)
        self.rules = GatewayRules(self.process.live, forget_breaker=self.process.policies.forget)
        actuator_pages.add(self.process, self.rules)
        self._upstreams: list[Upstream] = []
        self.gateway, self.server, self.port = self.servers.run(self._open())
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()

    async def _open(self) -> tuple[GatewayHandler, HttpServer, int]:
        pages = description.pages_of(self.process, self.rules)
        gateway = GatewayHandler(self.process, self.tokens, self.rules, pages)
        server = HttpServer(gateway.handle, gateway.refuse, gateway.client_limits, gateway.is_proxy)
        return gateway, server, await server.open("127.0.0.1", 0)

    def close(self) -> None:
        self.session.close()
        self.servers.run(self.server.close(grace=0.1))
        self.servers.run(self.gateway.close())
        for upstream in self._upstreams:
            self.servers.run(upstream.stop())
        self.servers.close()

    def pass_all_filters(self) -> None:
        """Whether its route needs them or not, a request passes them all."""
        chain = self.gateway._chain
        chain.filters = tuple(GatewayFilter(one.filter) for one in chain.filters)

    def set(self, **changed: Any) -> None:
        self.source.update(
            {key.replace("__", ".").replace("_", "-"): changed[key] for key in changed}
        )
        self.configuration.refresh()

    def upstream(
        self, answer: Answer = echo, service: str = "order-service", **metadata: str
    ) -> Upstream:
        made = Upstream(self.servers, answer)
        self.servers.run(made.start())
        self._upstreams.append(made)
        self.knows(made.port, service, **metadata)
        return made

    def knows(
        self, port: int, service: str = "order-service", host: str = "127.0.0.1", **metadata: str
    ) -> Instance:
        """Put an instance into the registry's snapshot."""
        instance = Instance(
            f"{service}-{port}", service, host, port, metadata=metadata, host_name="localhost"
        )
        known = dict(self.process.registry.instances)
        known[service] = (*known.get(service, ()), instance)
        self.process.registry.instances = MappingProxyType(known)
        return instance

    def call(self, path: str, method: str = "GET", **given: Any) -> requests.Response:
        return self.session.request(
            method, self.url + path, timeout=WAIT, allow_redirects=False, **given
        )

    def token(self, *roles: str, key: Any = None, **claims: Any) -> dict[str, str]:
        now = int(time.time())
        payload = {
            **{"sub": "u", "iss": "fusebox", "aud": "fusebox-services", "roles": roles},
            **{"iat": now, "exp": now + 60},
        }
        token = jwt.encode({**payload, **claims}, key or self.key, "ES256", {"kid": "k1"})
        return {"Authorization": f"Bearer {token}"}

    def breaker(self, service: str = "order-service") -> str:
        return self.process.breakers.of(service).state

    @contextmanager
    def raw(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), WAIT) as connection:
            yield connection

    def say(self, request: bytes) -> bytes:
        """What comes back until the gateway closes, or is silent after a whole answer."""
        with self.raw() as connection:
            connection.sendall(request)
            return read_answer(connection)

    def _jwks(self) -> dict[str, object]:
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        return {"keys": [{**public, "kid": "k1", "alg": "ES256", "use": "sig"}]}


def read_answer(connection: socket.socket) -> bytes:
    """One answer with a Content-Length, or all until the end."""
    got = b""
    while True:
        head, _, body = got.partition(b"\r\n\r\n")
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if body and name.lower() == b"content-length" and len(body) >= int(value):
                return got
        chunk = connection.recv(65_536)
        if not chunk:
            return got
        got += chunk


# The chain of a route has the filters that it needs: it is to answer as one with all of them.
BOTH_CHAINS = pytest.mark.parametrize(
    "has_all_filters", [False, True], ids=["needed filters", "all filters"], indirect=True
)


@pytest.fixture
def has_all_filters(request: pytest.FixtureRequest) -> bool:
    return bool(getattr(request, "param", False))


@pytest.fixture
def shop(tmp_path: Path, has_all_filters: bool) -> Iterator[Shop]:
    made = Shop(tmp_path)
    if has_all_filters:
        made.pass_all_filters()
    yield made
    made.close()
