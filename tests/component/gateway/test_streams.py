"""What is long, or has no end: uploads, downloads, events, WebSocket and other protocols."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aiohttp
import psutil
import pytest
from aiohttp import web

from .conftest import WAIT, Shop, read_answer, until
from .test_outages import Rude
from .test_refusals import START, check_raw

MEGABYTE = 1_000_000
CHUNK = b"x" * 50_000
# Far less than what passes, and more than what the buffers of the kernel and ours may hold.
FLAT = 24 * MEGABYTE
GET = b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\n"
SWITCH = GET + b"Connection: keep-alive, Upgrade\r\nUpgrade: parrot\r\n\r\n"


@contextmanager
def flat_memory() -> Iterator[None]:
    """Client, gateway and service are all in this process, and none may hold what passes."""
    process = psutil.Process()
    before, most = process.memory_info().rss, 0
    ended = threading.Event()

    def look() -> None:
        nonlocal most
        while not ended.wait(0.02):
            most = max(most, process.memory_info().rss - before)

    watching = threading.Thread(target=look)
    watching.start()
    try:
        yield
    finally:
        ended.set()
        watching.join()
    print(f"grew by {most / MEGABYTE:.1f} MB")
    assert most < FLAT


class Sender:
    """A service that sends as much as is taken, at the most `chunks` of them."""

    def __init__(self, chunks: int, length: bool) -> None:
        self.sent = 0
        self._chunks = chunks
        self._headers = {"Content-Length": str(chunks * len(CHUNK))} if length else {}

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers=self._headers)
        await response.prepare(request)
        for _ in range(self._chunks):
            await response.write(CHUNK)
            self.sent += len(CHUNK)
        return response


class Receiver:
    """A service that counts, once it may."""

    def __init__(self) -> None:
        self.got = 0
        self.may = asyncio.Event()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        await self.may.wait()
        async for chunk in request.content.iter_any():
            self.got += len(chunk)
        return web.Response(text=str(self.got))


def still(figure: Callable[[], int]) -> int:
    """`figure` when it has not changed for a while."""
    while True:
        before = figure()
        threading.Event().wait(0.2)
        if figure() == before:
            return before


@pytest.mark.parametrize("length", [True, False])
def test_100_megabytes_come_down_with_flat_memory(shop: Shop, length: bool) -> None:
    sender = Sender(2000, length)
    shop.set(fusebox__gateway__read_timeout_seconds=5)
    shop.upstream(sender.answer)

    with flat_memory():
        found = shop.call("/order-service/x", stream=True)
        got = sum(len(chunk) for chunk in found.iter_content(65_536))

    assert got == 100 * MEGABYTE


@pytest.mark.parametrize("length", [True, False])
def test_100_megabytes_go_up_with_flat_memory(shop: Shop, length: bool) -> None:
    receiver = Receiver()
    receiver.may.set()
    shop.set(
        fusebox__gateway__max_body_bytes=200 * MEGABYTE, fusebox__gateway__read_timeout_seconds=5
    )
    shop.upstream(receiver.answer)
    framed = b"Content-Length: 100000000" if length else b"Transfer-Encoding: chunked"
    piece = CHUNK if length else b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK)

    with flat_memory(), shop.raw() as connection:
        connection.sendall(START + framed + b"\r\n\r\n")
        for _ in range(2000):
            connection.sendall(piece)
        if not length:
            connection.sendall(b"0\r\n\r\n")
        answer = read_answer(connection)

    assert answer.endswith(b"\r\n\r\n100000000")


def test_a_client_that_does_not_read_stops_the_service(shop: Shop) -> None:
    sender = Sender(2000, length=False)
    shop.set(fusebox__gateway__read_timeout_seconds=5)
    shop.upstream(sender.answer)

    with shop.raw() as connection:
        connection.sendall(GET + b"Connection: close\r\n\r\n")
        until(lambda: sender.sent)
        assert still(lambda: sender.sent) < FLAT
        got = sum(len(chunk) for chunk in iter(lambda: connection.recv(1_000_000), b""))

    assert got > 100 * MEGABYTE


def test_a_client_that_never_reads_is_given_up(shop: Shop) -> None:
    sender = Sender(2000, length=True)
    upstream = shop.upstream(sender.answer)

    with shop.raw() as connection:
        connection.sendall(GET + b"\r\n")
        assert upstream.gone.wait(WAIT)


def test_a_service_that_does_not_read_stops_the_client(shop: Shop) -> None:
    receiver = Receiver()
    shop.set(
        fusebox__gateway__max_body_bytes=200 * MEGABYTE, fusebox__gateway__read_timeout_seconds=5
    )
    shop.upstream(receiver.answer)
    sent = 0

    def send(connection: socket.socket) -> None:
        nonlocal sent
        for _ in range(2000):
            connection.sendall(CHUNK)
            sent += len(CHUNK)

    with shop.raw() as connection:
        connection.sendall(START + b"Content-Length: 100000000\r\n\r\n")
        sending = threading.Thread(target=send, args=(connection,))
        sending.start()
        until(lambda: sent)
        assert still(lambda: sent) < FLAT
        shop.servers.call(receiver.may.set)
        assert read_answer(connection).endswith(b"100000000")
        sending.join()


def test_a_client_that_goes_while_it_sends_ends_the_call(shop: Shop) -> None:
    upstream = shop.upstream()
    shop.set(fusebox__gateway__read_timeout_seconds=5)

    with shop.raw() as connection:
        connection.sendall(START + b"Content-Length: 100000\r\n\r\nhalf")
        until(lambda: upstream.seen)

    assert upstream.gone.wait(WAIT)
    assert shop.breaker() == "CLOSED"


def test_what_is_sent_may_be_answered_before_it_has_ended(shop: Shop) -> None:
    async def echo_on(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        async for chunk in request.content.iter_any():
            await response.write(chunk)
        return response

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    shop.upstream(echo_on)

    with shop.raw() as connection:
        connection.sendall(START + b"Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
        got = b""
        while b"one" not in got:
            got += connection.recv(65_536)
        connection.sendall(b"3\r\ntwo\r\n0\r\n\r\n")
        got += b"".join(iter(lambda: connection.recv(65_536), b""))

    assert got.endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


def test_events_pass_one_by_one_however_long_they_take(shop: Shop) -> None:
    told: asyncio.Queue[bytes] = asyncio.Queue()

    async def events(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        while event := await told.get():
            await response.write(b"data: " + event + b"\n\n")
        return response

    shop.upstream(events)

    found = shop.call("/order-service/x", stream=True)
    pieces = found.iter_content(chunk_size=None)
    for event in (b"one", b"two"):
        threading.Event().wait(0.5)  # longer than the gateway waits for anything else
        shop.servers.run(told.put(event))
        assert next(pieces) == b"data: " + event + b"\n\n"
    shop.servers.run(told.put(b""))
    assert list(pieces) == []


def test_events_that_never_come_end_at_last(shop: Shop) -> None:
    async def events(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await asyncio.Event().wait()
        return response

    shop.set(fusebox__gateway__stream_idle_seconds=0.2)
    upstream = shop.upstream(events)

    with shop.raw() as connection:
        connection.sendall(GET + b"\r\n")
        assert not b"".join(iter(lambda: connection.recv(65_536), b"")).endswith(b"0\r\n\r\n")

    assert upstream.gone.wait(WAIT)


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


def test_a_connection_that_a_service_has_closed_is_not_used(shop: Shop) -> None:
    bodies = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with Rude(bodies) as rude:
        shop.knows(rude.port)

        for _ in range(20):
            assert shop.call("/order-service/x", "POST", data=b"x").text == "ok"
            until(lambda: rude.closed == len(rude.requests))

    assert len(rude.requests) == 20


def test_who_leaves_lets_what_has_begun_finish(shop: Shop) -> None:
    waits = asyncio.Event()

    async def until_told(request: web.BaseRequest) -> web.StreamResponse:
        await waits.wait()
        return web.Response(text="done")

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(until_told)
    with shop.raw() as busy, shop.raw() as idle:
        busy.sendall(GET + b"\r\n")
        until(lambda: upstream.seen)
        closing = asyncio.run_coroutine_threadsafe(shop.door.close(5), shop.servers.loop)
        assert idle.recv(100) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", shop.port), WAIT)
        shop.servers.call(waits.set)
        answer = b"".join(iter(lambda: busy.recv(65_536), b""))
        closing.result(WAIT)

    assert answer.endswith(b"done")
    assert b"\r\nConnection: close\r\n" in answer


def test_who_has_to_leave_waits_no_longer_than_its_grace(shop: Shop) -> None:
    async def slow(_request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    shop.set(fusebox__gateway__read_timeout_seconds=30)
    upstream = shop.upstream(slow)
    with shop.raw() as connection:
        connection.sendall(GET + b"\r\n")
        until(lambda: upstream.seen)
        shop.servers.run(shop.door.close(0.1))

        assert connection.recv(100) == b""
    assert upstream.gone.wait(WAIT)


def test_http_1_0_may_keep_its_connection_too(shop: Shop) -> None:
    shop.upstream()
    request = b"GET /order-service/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

    with shop.raw() as connection:
        for _ in range(2):
            connection.sendall(request)
            assert b"\r\nConnection: keep-alive\r\n" in read_answer(connection)


def test_a_malformed_end_of_a_long_body_is_told(shop: Shop) -> None:
    shop.upstream()

    with shop.raw() as connection:
        connection.sendall(
            START + b"Transfer-Encoding: chunked\r\n\r\n11170\r\n" + b"x" * 70_000 + b"\r\nzz\r\n"
        )
        check_raw(b"".join(iter(lambda: connection.recv(65_536), b"")), 400, "malformed-request")

    assert shop.process.breakers.of("order-service").failures == 0
