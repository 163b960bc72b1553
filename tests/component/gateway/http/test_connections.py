"""Connections: kept, used in turn, closed by the other side, and left in good order."""

import asyncio
import socket
import threading

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

    found = shop.say(b"GET /order-service/x HTTP/1.0\r\n\r\n")

    assert found.startswith(b"HTTP/1.0 200 OK")
    assert b"chunked" not in found
    assert found.endswith(b"\r\n\r\n" + b"x" * 100_000)


def test_requests_in_a_row_on_one_connection_are_answered_in_their_order(shop: Shop) -> None:
    shop.upstream()
    one = b"GET /order-service/%d HTTP/1.1\r\nHost: shop\r\n%s\r\n"

    with shop.raw() as connection:
        connection.sendall(one % (1, b"") + one % (2, b"") + one % (3, b"Connection: close\r\n"))
        found = b"".join(iter(lambda: connection.recv(65_536), b""))

    places = [found.index(b'"path": "/%d"' % number) for number in (1, 2, 3)]
    assert places == sorted(places)
