"""Connections: kept, used in turn, closed by the other side, and left in good order."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from ..conftest import (
    GET,
    WAIT,
    Shop,
    read_answer,
    until,
)
from ..test_outages import Rude
from ..test_refusals import check


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
        closing = asyncio.run_coroutine_threadsafe(shop.server.close(5), shop.servers.loop)
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
        shop.servers.run(shop.server.close(0.1))

        assert connection.recv(100) == b""
    assert upstream.gone.wait(WAIT)


def test_http_1_0_may_keep_its_connection_too(shop: Shop) -> None:
    shop.upstream()
    request = b"GET /order-service/x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"

    with shop.raw() as connection:
        for _ in range(2):
            connection.sendall(request)
            assert b"\r\nConnection: keep-alive\r\n" in read_answer(connection)


def test_connections_to_a_service_are_kept(shop: Shop) -> None:
    peers = set()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="ok")

    shop.upstream(answer)

    for number in range(5):
        assert shop.call("/order-service/x", "POST", data=b"x" * number).ok

    assert len(peers) == 1


@pytest.mark.parametrize(("said", "connections"), [("timeout=1", 2), ("timeout=60, max=100", 1)])
def test_a_connection_is_not_kept_until_the_service_closes_it(
    shop: Shop, said: str, connections: int
) -> None:
    """What is sent in that moment would be lost, and a POST may not be sent again."""
    peers = set()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(text="ok", headers={"Keep-Alive": said})

    shop.upstream(answer)

    for _ in range(2):
        assert "Keep-Alive" not in shop.call("/order-service/x", "POST", data=b"x").headers
        threading.Event().wait(0.01)

    assert len(peers) == connections


def test_a_client_of_http_1_0_gets_an_answer_it_knows(shop: Shop) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"x" * 100_000)
        return response

    shop.upstream(answer)

    received = shop.say(b"GET /order-service/x HTTP/1.0\r\n\r\n")

    assert received.startswith(b"HTTP/1.0 200 OK")
    assert b"chunked" not in received
    assert received.endswith(b"\r\n\r\n" + b"x" * 100_000)


def test_requests_in_a_row_on_one_connection_are_answered_in_their_order(shop: Shop) -> None:
    shop.upstream()
    one = b"GET /order-service/%d HTTP/1.1\r\nHost: shop\r\n%s\r\n"

    with shop.raw() as connection:
        connection.sendall(one % (1, b"") + one % (2, b"") + one % (3, b"Connection: close\r\n"))
        received = b"".join(iter(lambda: connection.recv(65_536), b""))

    places = [received.index(b'"path": "/%d"' % number) for number in (1, 2, 3)]
    assert places == sorted(places)


def spend_retries(shop: Shop) -> None:
    """So that whatever is charged to the retry budget is not done."""
    shop.set(fusebox__retry__budget=0)
    while shop.process.policies.of("order-service").retries.take():
        pass


class Forgetful:
    """Answers the first request on each connection, and drops the next one unread."""

    def __init__(self, first: bytes = b"") -> None:
        self.connections = 0
        self.requests = 0
        self._first = first

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        await reader.readuntil(b"\r\n\r\n")
        writer.write(self._first)
        await writer.drain()
        writer.close()


@contextmanager
def forgetful(shop: Shop, first: bytes = b"") -> Iterator[Forgetful]:
    service = Forgetful(first)
    server = shop.servers.run(asyncio.start_server(service.serve, "127.0.0.1", 0))
    shop.knows(server.sockets[0].getsockname()[1])
    try:
        yield service
    finally:
        shop.servers.call(server.close)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
def test_a_connection_that_closes_as_it_is_used_again_costs_no_retry(
    shop: Shop, method: str
) -> None:
    spend_retries(shop)
    with forgetful(shop) as service:
        statuses = [shop.call("/order-service/x", method).status_code for _ in range(20)]

    assert statuses == [200] * 20
    assert service.connections == service.requests == 20
    assert shop.process.breakers.of("order-service").calls["failed"] == 0


def test_what_may_not_be_done_twice_is_not_sent_again_on_a_new_connection(shop: Shop) -> None:
    with forgetful(shop) as service:
        assert shop.call("/order-service/x").ok
        check(shop.call("/order-service/x", "POST"), 503, "service-unavailable")

    assert service.requests == 1


def test_a_new_connection_that_closes_as_well_is_not_followed_by_others(shop: Shop) -> None:
    spend_retries(shop)
    with Rude() as rude:
        shop.knows(rude.port)

        check(shop.call("/order-service/x"), 503, "service-unavailable")

    assert len(rude.requests) == 1


def test_an_answer_that_has_begun_says_that_the_request_came(shop: Shop) -> None:
    spend_retries(shop)
    with forgetful(shop, first=b"HTTP/1.1 200 O") as service:
        assert shop.call("/order-service/x").ok
        check(shop.call("/order-service/x"), 503, "service-unavailable")

    assert service.connections == 1


@pytest.mark.parametrize(
    "request_",
    [
        GET + b"Connection: close\r\n\r\n",
        GET + b"Connection: keep-alive\r\nconnection: Close\r\n\r\n",
        b"GET /order-service/x HTTP/1.0\r\n\r\n",
        GET + b"\r\n" + GET + b"Connection: close\r\n\r\n",
        b"POST" + GET[3:] + b"Connection: close\r\nContent-Length: 4\r\n\r\nbody",
    ],
)
def test_who_closes_its_half_after_the_last_request_is_answered(
    shop: Shop, request_: bytes
) -> None:
    async def slow(_: web.BaseRequest) -> web.StreamResponse:
        await asyncio.sleep(0.1)
        return web.Response(text="x" * 100_000)

    shop.upstream(slow)

    with shop.raw() as connection:
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    assert answer.endswith(b"x" * 100_000)
    assert answer.count(b"HTTP/1.") == request_.count(b"HTTP/1.")


@pytest.mark.parametrize("more", [b"\r\n", b"Connection: close\r\nContent-Length: 9\r\n\r\nhalf"])
def test_who_closes_its_half_before_that_has_gone(shop: Shop, more: bytes) -> None:
    async def never(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        await asyncio.Event().wait()
        raise AssertionError

    shop.set(fusebox__gateway__read_timeout_seconds=30)
    shop.upstream(never)

    with shop.raw() as connection:
        connection.sendall(GET + more)
        connection.shutdown(socket.SHUT_WR)

        assert connection.recv(100) == b""
