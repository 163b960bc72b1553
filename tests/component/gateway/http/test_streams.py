"""What is long, or has no end: uploads, downloads, events."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import pytest
from aiohttp import web

from ..conftest import (
    GET,
    PATIENCE,
    WAIT,
    Shop,
    read_answer,
    until,
)
from ..test_refusals import START, check_raw

MEGABYTE = 1_000_000
CHUNK = b"x" * 50_000
# Far less than what passes, and more than what the buffers of the kernel and ours may hold.
FLAT = 24 * MEGABYTE


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
        response = shop.call("/order-service/x", stream=True)
        got = sum(len(chunk) for chunk in response.iter_content(65_536))

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
    received: asyncio.Queue[bytes] = asyncio.Queue()

    async def events(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        await response.prepare(request)
        while event := await received.get():
            await response.write(b"data: " + event + b"\n\n")
        return response

    shop.upstream(events)

    response = shop.call("/order-service/x", stream=True)
    pieces = response.iter_content(chunk_size=None)
    for event in (b"one", b"two"):
        threading.Event().wait(1.2 * PATIENCE)
        shop.servers.run(received.put(event))
        assert next(pieces) == b"data: " + event + b"\n\n"
    shop.servers.run(received.put(b""))
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


def test_a_malformed_end_of_a_long_body_is_told(shop: Shop) -> None:
    shop.upstream()

    with shop.raw() as connection:
        connection.sendall(
            START + b"Transfer-Encoding: chunked\r\n\r\n11170\r\n" + b"x" * 70_000 + b"\r\nzz\r\n"
        )
        check_raw(b"".join(iter(lambda: connection.recv(65_536), b"")), 400, "malformed-request")

    assert shop.process.breakers.of("order-service").failures == 0
