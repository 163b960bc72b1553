"""Requests and answers pass unchanged but for what belongs to one connection."""

import asyncio
import gzip
import threading
from typing import Any

import pytest
import requests
from aiohttp import web

from .conftest import BOTH_CHAINS, Shop, until

pytestmark = BOTH_CHAINS


def headers_seen(answer: requests.Response) -> dict[str, list[str]]:
    headers: dict[str, list[str]] = {}
    for name, value in answer.json()["headers"]:
        headers.setdefault(name.lower(), []).append(value)
    return headers


def test_the_prefix_is_taken_off_and_the_rest_of_the_target_is_untouched(shop: Shop) -> None:
    shop.upstream()
    target = b"/order-service/a%2Fb%20c/%C3%BC/x?q=%2f+%20&q=2&e=&/?..//;"

    answer = shop.say(b"GET " + target + b" HTTP/1.1\r\nHost: shop\r\n\r\n")

    assert b'"path": "/a%2Fb%20c/%C3%BC/x?q=%2f+%20&q=2&e=&/?..//;"' in answer


@pytest.mark.parametrize(
    "target",
    [
        *(b"/order-service/a/b", b"//order-service//a/b", b"/%6frder-service/%61/b"),
        *(b"/x/../order-service/a/./b", b"/x/%2e%2E/order-service/%2e/a/b"),
        *(b"http://shop/order-service/a/b", b"http://shop//order-service/x/../a/b"),
    ],
)
def test_a_service_gets_one_spelling_of_a_path(shop: Shop, target: bytes) -> None:
    upstream = shop.upstream()

    shop.say(b"GET " + target + b" HTTP/1.1\r\nHost: shop\r\n\r\n")

    assert [request.raw_path for request in upstream.seen] == ["/a/b"]


def test_a_body_and_its_headers_arrive(shop: Shop) -> None:
    shop.upstream()

    answer = shop.call("/order-service/u/orders", "POST", json={"qty": 2})

    seen = headers_seen(answer)
    assert answer.json()["method"] == "POST"
    assert answer.json()["body"] == '{"qty": 2}'
    assert seen["content-type"] == ["application/json"]
    assert seen["content-length"] == ["10"]
    assert seen["x-forwarded-for"] == ["127.0.0.1"]
    assert seen["x-forwarded-host"] == [f"127.0.0.1:{shop.port}"]
    assert seen["via"] == ["1.1 gateway"]


def test_nothing_is_said_for_the_client_that_it_did_not_say(shop: Shop) -> None:
    upstream = shop.upstream()

    shop.say(b"POST /order-service/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 2\r\n\r\nab")

    seen = {name.lower() for name in upstream.seen[0].headers}
    assert not seen & {"accept", "accept-encoding", "content-type", "user-agent", "connection"}


def test_compressed_bodies_pass_as_they_are(shop: Shop) -> None:
    packed = gzip.compress(b"x" * 1000)

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert await request.read() == packed
        return web.Response(body=packed, headers={"Content-Encoding": "gzip", "ETag": '"1"'})

    shop.upstream(answer)

    response = shop.call(
        "/order-service/x", "POST", data=packed, headers={"Content-Encoding": "gzip"}, stream=True
    )

    assert response.raw.read(decode_content=False) == packed
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["ETag"] == '"1"'


def test_an_answer_keeps_its_status_and_its_duplicate_headers(shop: Shop) -> None:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        response = web.Response(
            status=409, text="no", headers={"Connection": "X-Hop", "X-Hop": "1"}
        )
        response.headers.add("Set-Cookie", "a=1; Path=/")
        response.headers.add("Set-Cookie", "b=2")
        return response

    upstream = shop.upstream(answer)

    response = shop.call("/order-service/x")
    shop.call("/order-service/x", cookies={"c": "3"})

    assert (response.status_code, response.text) == (409, "no")
    assert response.raw.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2"]
    assert "X-Hop" not in response.headers
    assert "Connection" not in response.headers
    assert len(response.raw.headers.getlist("X-Trace-Id")) == 1
    # The gateway keeps no cookies of its own: what comes is what this client sent.
    assert upstream.seen[0].headers.get("Cookie") is None


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_has_none(shop: Shop, status: int) -> None:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, headers={"ETag": '"1"'})

    shop.upstream(answer)

    response = shop.call("/order-service/x")

    assert (response.status_code, response.content, response.headers["ETag"]) == (
        status,
        b"",
        '"1"',
    )


def test_head_tells_the_length_and_sends_nothing(shop: Shop) -> None:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=b"x" * 100_000)

    shop.upstream(answer)

    response = shop.call("/order-service/x", "HEAD")
    again = shop.call("/order-service/x")

    assert (response.status_code, response.headers["Content-Length"]) == (200, "100000")
    assert len(again.content) == 100_000


def test_a_redirect_is_an_answer_and_shows_no_inner_address(shop: Shop) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=308, headers={"Location": f"http://{request.host}/u/orders/"})

    shop.upstream(answer)

    response = shop.call("/order-service/u/orders")

    assert response.status_code == 308
    assert response.headers["Location"] == "/order-service/u/orders/"


def test_an_answer_streams_before_it_has_ended(shop: Shop) -> None:
    more = threading.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await asyncio.to_thread(more.wait, 5)
        await response.write(b"second")
        return response

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    shop.upstream(answer)

    response = shop.call("/order-service/x", stream=True)
    pieces = response.iter_content(chunk_size=None)

    assert next(pieces) == b"first"
    more.set()
    assert b"".join(pieces) == b"second"
    assert "Content-Length" not in response.headers


def test_an_upload_streams_before_it_has_ended(shop: Shop) -> None:
    arrived = threading.Event()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        first = await request.content.readany()
        arrived.set()
        return web.Response(body=first + await request.read())

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    shop.upstream(answer)

    with shop.raw() as connection:
        connection.sendall(
            b"POST /order-service/x HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"5\r\nfirst\r\n"
        )
        assert arrived.wait(5)
        connection.sendall(b"6\r\nsecond\r\n0\r\n\r\n")

        assert connection.recv(65_536).endswith(b"firstsecond")


@pytest.mark.parametrize("chunked", [True, False])
def test_long_bodies_pass_both_ways(shop: Shop, chunked: bool) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=await request.content.read())

    shop.set(fusebox__gateway__max_body_bytes=5_000_000)
    shop.upstream(answer)
    body = bytes(range(256)) * 16_384

    given: Any = (body[i : i + 100_000] for i in range(0, len(body), 100_000)) if chunked else body
    response = shop.call("/order-service/x", "PUT", data=given)

    assert response.content == body


def test_a_client_that_expects_100_is_told_to_go_on_and_the_service_is_not_asked(
    shop: Shop,
) -> None:
    upstream = shop.upstream()

    with shop.raw() as connection:
        connection.sendall(
            b"POST /order-service/x HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\n"
            b"Content-Length: 4\r\n\r\n"
        )
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert b'"body": "body"' in connection.recv(65_536)

    assert "Expect" not in upstream.seen[0].headers


def test_a_client_that_goes_ends_the_call_of_the_service(shop: Shop) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(answer)

    with shop.raw() as connection:
        connection.sendall(b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\n\r\n")
        until(lambda: upstream.seen)

    assert upstream.gone.wait(5)
    until(lambda: shop.process.breakers.of("order-service").calls["ignored"] == 1)
    assert shop.breaker() == "CLOSED"


def test_a_client_that_goes_ends_a_stream(shop: Shop) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        await asyncio.Event().wait()
        return response

    shop.set(fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(answer)

    with shop.raw() as connection:
        connection.sendall(b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\n\r\n")
        assert connection.recv(65_536)

    assert upstream.gone.wait(5)


def test_a_stream_that_breaks_off_is_seen_to_break_off(shop: Shop) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"first")
        assert request.transport is not None
        request.transport.abort()
        return response

    shop.upstream(answer)

    response = shop.call("/order-service/x", stream=True)

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        b"".join(response.iter_content(chunk_size=None))
