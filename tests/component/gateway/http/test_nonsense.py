"""Bytes that nobody expected, at both sides of the gateway: it answers or closes, and lives on."""

import re
import socket
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from gateway.cache.store import CacheKey

from ..conftest import GET, Shop
from ..test_outages import Rude

NO_HANG = 5.0
STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
LISTS = (
    *(
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "Cache-Control",
        "Connection",
        "Content-Length",
    ),
    *("Content-Type", "Cookie", "Expect", "Forwarded", "Host", "If-Modified-Since"),
    *("If-None-Match", "Keep-Alive", "Pragma", "Prefer", "Range", "TE", "Trailer"),
    *("Transfer-Encoding", "Upgrade", "Via", "X-Forwarded-For", "X-Forwarded-Host"),
    *("X-Request-Timeout-Ms", "X-B3-TraceId", "b3", "traceparent", "X-A"),
)
ANSWERED = (
    *("Age", "Alt-Svc", "Cache-Control", "Connection", "Content-Length", "Content-Location"),
    *("Content-Type", "Date", "ETag", "Keep-Alive", "Last-Modified", "Link", "Location"),
    *("Refresh", "Set-Cookie", "Trailer", "Transfer-Encoding", "Upgrade", "Vary", "Via", "Warning"),
)
WORDS = some.sampled_from(
    [
        *(
            b"close",
            b"keep-alive",
            b"upgrade",
            b"chunked",
            b"no-cache",
            b"only-if-cached",
            b"max-age",
        ),
        *(
            b"100-continue",
            b"websocket",
            b"h2c",
            b"text/event-stream",
            b"Bearer",
            b"*",
            b"0",
            b"-1",
        ),
        *(
            b"9" * 5_000,
            b"=",
            b",",
            b";",
            b" ",
            b"\t",
            b'"',
            b"\\",
            b"//[::1]:80",
            b"http://127.0.0.1",
        ),
        *(b"\x00", b"\x7f", b"\xff", b"\r", b"\n", b"\r\n", b"\xc3\xa9", b"%"),
    ]
)
VALUE = some.lists(WORDS, max_size=5).map(b"".join) | some.binary(max_size=40)
TARGET = some.one_of(
    some.lists(
        some.sampled_from(
            [b"/", b"..", b";", b"%", b"%2f", b"%00", b"?", b"#", b"x", b"\xc3\xbc", b"//"]
        ),
        max_size=8,
    ).map(lambda parts: b"/order-service" + b"".join(parts)),
    some.binary(min_size=1, max_size=30),
    some.sampled_from([b"*", b"http://shop/order-service/x", b"http://[::1", b"/actuator/health"]),
)
METHOD = some.sampled_from(
    [b"GET", b"HEAD", b"POST", b"PUT", b"OPTIONS", b"TRACE", b"CONNECT", b"X"]
)
FUZZ = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def lines(names: tuple[str, ...]) -> some.SearchStrategy[bytes]:
    line = some.tuples(some.sampled_from(names), VALUE).map(
        lambda pair: pair[0].encode() + b": " + pair[1] + b"\r\n"
    )
    return some.lists(line, max_size=4).map(b"".join)


def sent(shop: Shop, request: bytes) -> bytes:
    """What comes until the gateway closes, as it does in any case when it is told the end."""
    began = time.monotonic()
    with shop.raw() as connection:
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        except ConnectionError:
            answer = b""
    assert time.monotonic() - began < NO_HANG
    return answer


def check(shop: Shop, request: bytes) -> None:
    answer = sent(shop, request)

    assert not answer or STATUS.match(answer)
    assert b"500" not in STATUS.findall(answer)


def check_alive(shop: Shop) -> None:
    shop.upstream()
    assert sent(shop, GET + b"Connection: close\r\n\r\n").startswith(b"HTTP/1.1 200 ")


def test_any_bytes_are_answered_or_refused(shop: Shop) -> None:
    shop.upstream()

    @FUZZ
    @given(some.binary(max_size=200))
    def bytes_are(request: bytes) -> None:
        check(shop, request)

    bytes_are()
    check_alive(shop)


def test_any_head_is_answered_or_refused(shop: Shop) -> None:
    shop.upstream()
    shop.tokens.refresh()

    @FUZZ
    @given(METHOD, TARGET, lines(LISTS), some.booleans())
    def heads_are(method: bytes, target: bytes, headers: bytes, is_last: bool) -> None:
        last = b"Connection: close\r\n" if is_last else b""
        first = method + b" " + target + b" HTTP/1.1\r\nHost: shop\r\n"
        check(shop, first + headers + last + b"\r\n")

    heads_are()
    check_alive(shop)


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_any_answer_of_a_service_is_passed_on_or_is_none(shop: Shop, method: bytes) -> None:
    shop.set(fusebox__gateway__read_timeout_seconds=0.3)
    shop.process.breakers.of("order-service").disable()
    with Rude() as rude:
        shop.knows(rude.port)

        @FUZZ
        @given(some.integers(0, 1100), lines(ANSWERED), some.binary(max_size=40))
        def answers_are(status: int, headers: bytes, body: bytes) -> None:
            shop.gateway._rules.cache.forget(CacheKey("shop", "/order-service/x"))
            rude._answer = b"HTTP/1.1 %03d Odd\r\n%s\r\n%s" % (status, headers, body)
            answer = sent(shop, method + GET[3:] + b"Connection: close\r\n\r\n")

            status_line = STATUS.match(answer)
            assert not answer or status_line
            assert not status_line or status_line[1] in (b"%03d" % status, b"503", b"504")

        answers_are()
    shop.process.registry.instances = {}
    check_alive(shop)
