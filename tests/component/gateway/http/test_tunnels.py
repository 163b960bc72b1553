"""WebSocket and other protocols, once both sides have agreed on one."""

import asyncio
import socket
import threading

import aiohttp
import pytest
from aiohttp import web

from ..conftest import (
    GET,
    WAIT,
    Shop,
    read_answer,
    until,
)
from ..test_refusals import START

SWITCH = GET + b"Connection: keep-alive, Upgrade\r\nUpgrade: parrot\r\n\r\n"


def test_a_websocket_passes(shop: Shop) -> None:
    async def talk(request: web.BaseRequest) -> web.StreamResponse:
        socket_ = web.WebSocketResponse(protocols=("chat",))
        await socket_.prepare(request)
        async for message in socket_:
            await socket_.send_str(message.data[::-1])
        return socket_

    async def client() -> list[str]:
        address = f"{shop.url}/order-service/talk?x=1"
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(address, protocols=("chat",)) as open_,
        ):
            assert open_.protocol == "chat"
            said = []
            for text in ("abc", "x" * 100_000 + "y"):
                await open_.send_str(text)
                said.append(await open_.receive_str(timeout=WAIT))
            return said

    upstream = shop.upstream(talk)

    assert shop.servers.run(client()) == ["cba", "y" + "x" * 100_000]
    assert upstream.seen[0].raw_path == "/talk?x=1"
    assert "X-B3-TraceId" in upstream.seen[0].headers
    until(lambda: len(shop.spans) == 2)


class Parrot:
    """Changes to a protocol of its own, and says everything again."""

    def __init__(self, greeting: bytes = b"") -> None:
        self._greeting = greeting
        self.request = b""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run)
        self.ended = threading.Event()

    def __enter__(self) -> "Parrot":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(WAIT)
        self._socket.close()

    def _run(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            self.request = connection.recv(65_536)
            connection.sendall(
                b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                b"Upgrade: parrot\r\nX-A: 1\r\n\r\n" + self._greeting
            )
            while said := connection.recv(65_536):
                connection.sendall(said)
        self.ended.set()


def test_any_protocol_that_both_sides_agree_on_passes(shop: Shop) -> None:
    with Parrot(b"hello") as parrot, shop.raw() as connection:
        shop.knows(parrot.port)
        connection.sendall(SWITCH + b"early ")
        got = b""
        while b"early " not in got:
            got += connection.recv(65_536)
        connection.sendall(b"late")
        connection.shutdown(socket.SHUT_WR)
        got += b"".join(iter(lambda: connection.recv(65_536), b""))

    head, _, body = got.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert b"\r\nUpgrade: parrot" in head
    assert b"\r\nX-Trace-Id: " in head
    assert body == b"helloearly late"
    assert b"\r\nConnection: Upgrade\r\nUpgrade: parrot\r\n" in parrot.request
    assert shop.breaker() == "CLOSED"


def test_an_end_of_a_tunnel_that_goes_takes_the_other_with_it(shop: Shop) -> None:
    with Parrot() as parrot:
        shop.knows(parrot.port)
        with shop.raw() as connection:
            connection.sendall(SWITCH)
            assert connection.recv(65_536)

        assert parrot.ended.wait(WAIT)
    until(lambda: not shop.process.balancer._outstanding)


def test_a_tunnel_that_nobody_uses_ends(shop: Shop) -> None:
    shop.set(fusebox__gateway__stream_idle_seconds=0.2)

    with Parrot() as parrot, shop.raw() as connection:
        shop.knows(parrot.port)
        connection.sendall(SWITCH)
        assert b"".join(iter(lambda: connection.recv(65_536), b"")).endswith(b"\r\n\r\n")


def test_a_wish_that_is_not_granted_leaves_the_connection_as_it_is(shop: Shop) -> None:
    upstream = shop.upstream()

    with shop.raw() as connection:
        connection.sendall(SWITCH + GET + b"Connection: close\r\n\r\n")
        got = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert upstream.seen[0].headers["Upgrade"] == "parrot"
    assert "Upgrade" not in upstream.seen[1].headers


@pytest.mark.parametrize(
    "framed",
    [
        b"Content-Length: 4\r\n\r\nbody",
        b"Content-Length: 4\r\n\r\nbody" + GET + b"Content-Length: 0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2\r\ndy\r\n0\r\n\r\n",
    ],
)
def test_a_wish_for_http_2_is_passed_over_and_its_body_is_read(shop: Shop, framed: bytes) -> None:
    """Java's client says so with its first request, whatever it sends."""
    upstream = shop.upstream()
    wish = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n"

    with shop.raw() as connection:
        connection.sendall(START + wish + framed)
        assert b'"body": "body"' in read_answer(connection)
        connection.sendall(GET + b"Connection: close\r\n\r\n")
        assert b"HTTP/1.1 200 OK" in b"".join(iter(lambda: connection.recv(65_536), b""))

    assert "Upgrade" not in upstream.seen[0].headers
    assert "HTTP2-Settings" not in upstream.seen[0].headers


def test_nothing_may_be_said_in_a_protocol_that_is_not_agreed_on(shop: Shop) -> None:
    async def slow(_request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    shop.set(fusebox__gateway__read_timeout_seconds=1)
    shop.upstream(slow)

    with shop.raw() as connection:
        connection.sendall(SWITCH + b"x" * 500_000)
        got = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert b"HTTP/1.1 504" in got
    assert b"HTTP/1.1 400" in got
