"""Where an answer ends, told byte by byte: what of it passes, and what is no answer at all."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from aiohttp import web

from ..conftest import Shop
from ..test_outages import Rude
from ..test_refusals import check_raw

GET = b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\nab",
        b"HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * 200_000,
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"SSH-2.0-OpenSSH\r\n",
    ],
)
def test_an_answer_that_could_be_read_in_two_ways_is_none(shop: Shop, answer: bytes) -> None:
    with Rude(answer) as rude:
        shop.knows(rude.port)

        check_raw(shop.say(GET + b"\r\n"), 503, "service-unavailable")


@pytest.fixture
def interim() -> Iterator[Rude]:
    with Rude(
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n"
        b"4\r\nbody\r\n0\r\nX-End: 1\r\n\r\n"
    ) as rude:
        yield rude


def test_interim_answers_and_trailers_stay_behind(shop: Shop, interim: Rude) -> None:
    shop.knows(interim.port)

    answer = shop.say(GET + b"\r\n")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nbody")
    assert b"X-End" not in answer
    assert b"Link" not in answer


def test_the_connection_of_an_interim_answer_serves_the_next_request(shop: Shop) -> None:
    connections: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        for number in range(2):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
            await writer.drain()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number)
        await reader.read()
        writer.close()

    server = shop.servers.run(asyncio.start_server(answer, "127.0.0.1", 0))
    shop.knows(server.sockets[0].getsockname()[1])

    answers = [shop.say(GET + b"Connection: close\r\n\r\n") for _ in range(2)]

    shop.servers.call(server.close)
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [b"0", b"1"]
    assert all(answer.startswith(b"HTTP/1.1 200") and b"Link" not in answer for answer in answers)
    assert len(connections) == 1


def test_an_answer_that_ends_with_its_connection_has_an_end(shop: Shop) -> None:
    with Rude(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nhello") as rude:
        shop.knows(rude.port)

        assert shop.call("/order-service/x").text == "hello"


def test_a_part_of_something_passes(shop: Shop) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.headers["Range"] == "bytes=1-2"
        return web.Response(status=206, body=b"el", headers={"Content-Range": "bytes 1-2/5"})

    shop.upstream(answer)

    response = shop.call("/order-service/x", headers={"Range": "bytes=1-2"})

    assert (response.status_code, response.text) == (206, "el")
    assert response.headers["Content-Range"] == "bytes 1-2/5"


@pytest.mark.parametrize(
    "status",
    [b"099", b"000", b"001", b"600", b"999", b"1000", b"20", b"2", b"", b"-200", b"2x0", b"20 0"],
)
def test_a_status_that_there_cannot_be_is_no_answer(shop: Shop, status: bytes) -> None:
    with Rude(b"HTTP/1.1 " + status + b" Odd\r\nContent-Length: 2\r\n\r\nok") as rude:
        shop.knows(rude.port)

        check_raw(shop.say(GET + b"\r\n"), 503, "service-unavailable")


@pytest.mark.parametrize(
    ("said", "length"),
    [
        (b"Transfer-Encoding: chunked\r\n", None),
        (b"Content-Length: 7\r\n", b"7"),
        (b"Content-Length: 0\r\n", b"0"),
        (b"Connection: close\r\n", None),
        (b"", None),
    ],
)
def test_of_head_no_length_is_said_that_the_service_did_not_say(
    shop: Shop, said: bytes, length: bytes | None
) -> None:
    with Rude(b"HTTP/1.1 200 OK\r\n" + said + b"\r\n") as rude:
        shop.knows(rude.port)

        answer = shop.say(b"HEAD" + GET[3:] + b"Connection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\n")
    assert re.findall(rb"\r\nContent-Length: (\d+)", answer) == ([length] if length else [])
    assert b"Transfer-Encoding" not in answer


def test_of_head_the_gateways_own_answers_have_the_length_of_gets(shop: Shop) -> None:
    answers = [shop.call("/nowhere", method) for method in ("GET", "HEAD")]

    assert len({answer.headers["Content-Length"] for answer in answers}) == 1
    assert int(answers[1].headers["Content-Length"]) > 0


@contextmanager
def staying(shop: Shop, answer: bytes) -> Iterator[None]:
    """A service that answers and keeps the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read()
        writer.close()

    server = shop.servers.run(asyncio.start_server(serve, "127.0.0.1", 0))
    shop.knows(server.sockets[0].getsockname()[1])
    try:
        yield
    finally:
        shop.servers.call(server.close)


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
@pytest.mark.parametrize(
    "said",
    [b"", b"Content-Length: 7\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 0\r\n"],
)
def test_an_answer_that_has_no_body_is_whole_with_its_head(
    shop: Shop, method: bytes, status: bytes, said: bytes
) -> None:
    with staying(shop, b"HTTP/1.1 " + status + b"\r\n" + said + b"\r\n"):
        answer = shop.say(method + GET[3:] + b"Connection: close\r\n\r\n")

    assert answer.startswith(b"HTTP/1.1 " + status)
    assert answer.endswith(b"\r\n\r\n")
    assert b"Transfer-Encoding" not in answer
    assert status.startswith(b"304") or b"Content-Length" not in answer
