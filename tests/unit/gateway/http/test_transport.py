"""The small parts of the transport: targets, heads, streams and bodies."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from multidict import CIMultiDict

from chassis.core.errors import BadRequest, NotSentInTime, TooLarge
from gateway.http import framing
from gateway.http.body_stream import FULL, BodyStream
from gateway.http.header_fields import HeaderFields
from gateway.http.upstream_messages import UpstreamRequest
from gateway.proxy import request_body
from gateway.proxy.request_body import Upload


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


@pytest.mark.parametrize(
    ("target", "path", "query", "host"),
    [
        ("/", "/", "", None),
        ("/a%2Fb?c=/?&d", "/a%2Fb", "c=/?&d", None),
        ("//a/b", "//a/b", "", None),
        ("/http://x", "/http://x", "", None),
        ("*", "*", "", None),
        ("shop:80", "shop:80", "", None),
        ("http://shop", "/", "", "shop"),
        ("HTTPS://shop:8000/a?b", "/a", "b", "shop:8000"),
        ("http://shop?b=/", "/", "b=/", "shop"),
    ],
)
def test_a_target_is_taken_apart_and_nothing_in_it_is_changed(
    target: str, path: str, query: str, host: str | None
) -> None:
    assert framing.split_target(target) == (path, query, host)


@pytest.mark.parametrize("target", ["/a#b", "ftp://shop/", "http:///a", "http://u:p@shop/", "://x"])
def test_what_is_no_target_is_refused(target: str) -> None:
    with pytest.raises(BadRequest):
        framing.split_target(target)


def test_a_head_keeps_duplicates_and_their_order() -> None:
    headers = CIMultiDict([("Set-Cookie", "a"), ("X", "\xfc"), ("set-cookie", "b")])

    assert (
        framing.response_head("1.1", 404, headers)
        == b"HTTP/1.1 404 Not Found\r\nSet-Cookie: a\r\nX: \xfc\r\nset-cookie: b\r\n\r\n"
    )


def test_what_is_asked_of_an_instance_names_it_and_says_how_long_its_body_is() -> None:
    asked = UpstreamRequest("POST", "/a?b", b"X: \xfc\r\nx: y\r\n", b"cd")

    assert asked.head("h:80") == (
        b"POST /a?b HTTP/1.1\r\nHost: h:80\r\nX: \xfc\r\nx: y\r\nContent-Length: 2\r\n\r\n"
    )
    assert UpstreamRequest("GET", "/", b"", host="shop").head("h:80") == (
        b"GET / HTTP/1.1\r\nHost: shop\r\n\r\n"
    )
    assert b"Content-Length: 0" in UpstreamRequest("POST", "/", b"", b"", True).head("h:80")


def test_a_field_is_found_whatever_its_case_and_all_its_lines_in_their_order() -> None:
    fields = HeaderFields.of([("X-A", "1"), ("Host", "\xfc"), ("x-a", "2")])

    assert fields["x-A"] == fields.get("X-a") == "1"
    assert fields.getall("X-A") == ["1", "2"]
    assert fields["host"] == "\xfc"
    assert "HOST" in fields
    assert fields.get("Via") is None
    assert fields.getall("Via", ()) == ()
    assert list(fields.items()) == [("X-A", "1"), ("Host", "\xfc"), ("x-a", "2")]
    with pytest.raises(KeyError):
        fields["Via"]


def test_a_full_stream_says_so_and_again_when_there_is_room() -> None:
    async def check() -> None:
        calls: list[bool] = []
        stream = BodyStream(lambda: calls.append(stream.is_full), None)
        for _ in range(5):
            stream.feed(b"x" * (FULL // 4))
        assert calls == [True]
        for _ in range(5):
            await stream.next(1)
        assert calls == [True, False]

    run(check())


def test_what_came_before_an_error_can_be_read() -> None:
    async def check() -> None:
        stream = BodyStream(lambda: None, 10)
        stream.feed(b"half")
        stream.fail(BadRequest("no"))
        assert not stream.is_whole
        assert await stream.next(1) == b"half"
        with pytest.raises(BadRequest):
            await stream.next(1)

    run(check())


def test_a_client_is_told_to_go_on_only_when_it_is_waited_for() -> None:
    async def check() -> None:
        calls: list[bool] = []
        stream = BodyStream(lambda: None, 4)
        stream.on_first_read = lambda: calls.append(True)
        stream.feed(b"bo")
        await stream.next(1)
        assert calls == []
        with pytest.raises(TimeoutError):
            await stream.next(0.01)
        assert calls == [True]

    run(check())


def test_a_chunked_body_that_is_there_is_a_short_one() -> None:
    async def check() -> None:
        stream = BodyStream(lambda: None, None)
        stream.feed(b"bo")
        stream.feed(b"dy")
        stream.end()
        assert await request_body.take(stream, 4, 1) == b"body"

    run(check())


def test_a_body_over_the_limit_is_refused_as_soon_as_that_is_known() -> None:
    async def check() -> None:
        with pytest.raises(TooLarge):
            await request_body.take(BodyStream(lambda: None, 5), 4, 1)
        upload = Upload(stream := BodyStream(lambda: None, None), 4, 1)
        stream.feed(b"body")
        assert await upload.next() == b"body"
        stream.feed(b"!")
        with pytest.raises(TooLarge):
            await upload.next()

    run(check())


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def check() -> None:
        with pytest.raises(NotSentInTime):
            await request_body.take(BodyStream(lambda: None, 4), 10, 0.01)
        with pytest.raises(NotSentInTime):
            await Upload(BodyStream(lambda: None, None), 10, 0.01).next()

    run(check())
