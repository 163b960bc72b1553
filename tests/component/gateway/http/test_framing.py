"""Where one message ends and the next begins, told byte by byte: over raw sockets."""

import re
import socket
import time

import pytest

from ..conftest import Shop, read_answer, until
from ..test_refusals import START, check_raw

SMUGGLED = b"GET /order-service/smuggled HTTP/1.1\r\nHost: shop\r\n\r\n"
GET = b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\n"
HOST = b"Host: shop\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n"

NO_HOSTS = (
    *(b"", b"a b", b"a, b", b"a,b", b"shop:x", b"shop:65536", b"shop:-1", b"shop:80:80"),
    *(b"u@shop", b"shop/x", b"http://shop", b"shop?", b"shop#", b"sh\\op", b'"shop"', b"sh%op"),
    *(b":80", b"::1", b"[::1", b"::1]", b"[shop]", b"[::1]x", b"[fe80::1%25lo]", b"[1:2]", b"\xfc"),
)
UNCLEAR = {
    "both lengths": START + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "both, turned": START + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": START + b"Content-Length: 0\r\nContent-Length: 60\r\n\r\n",
    "a list of lengths": START + b"Content-Length: 0, 60\r\n\r\n",
    "signed length": START + b"Content-Length: +4\r\n\r\nbody",
    "hexadecimal length": START + b"Content-Length: 0x4\r\n\r\nbody",
    "length without end": START + b"Content-Length: 18446744073709551616\r\n\r\n",
    "folded header": GET + b"X-A: 1\r\n 2\r\n\r\n",
    "folded length": START + b"Content-Length:\r\n 4\r\n\r\nbody",
    "lines end in LF": b"GET /order-service/x HTTP/1.1\nHost: shop\n\n",
    "one line ends in LF": GET + b"X-A: 1\nX-B: 2\r\n\r\n",
    "CR in a value": GET + b"X-A: 1\rX-B: 2\r\n\r\n",
    "NUL in a value": GET + b"X-A: 1\x002\r\n\r\n",
    "space before the colon": START + b"Content-Length : 4\r\n\r\nbody",
    "tab before the colon": START + b"Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "no name": GET + b": 1\r\n\r\n",
    "other encoding": START + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "encoded twice": START + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "encoded on two lines": START
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked twice": START + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked on two lines": START
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked with a parameter": START + b"Transfer-Encoding: chunked;a=1\r\n\r\n0\r\n\r\n",
    "chunked in quotes": START + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "chunked and a comma": START + b"Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n",
    "chunked behind a wide space": START + b"Transfer-Encoding: \xa0chunked\r\n\r\n0\r\n\r\n",
    "identity and a length": START + b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n\r\n",
    "no encoding and a length": START + b"Transfer-Encoding: \r\nContent-Length: 0\r\n\r\n",
    "one length twice": START + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody",
    "no length": START + b"Content-Length: \r\n\r\n",
    "length in parts": START + b"Content-Length: 4 4\r\n\r\nbody",
    "length with a sign in it": START + b"Content-Length: 4_0\r\n\r\nbody",
    "length of another script": START + b"Content-Length: \xd9\xa4\r\n\r\nbody",
    "lines end in CR": b"GET /order-service/x HTTP/1.1\rHost: shop\r\r",
    "space before the first header": b"GET /order-service/x HTTP/1.1\r\n X-A: 1\r\n"
    + HOST
    + b"\r\n",
    "version with a space": b"GET /order-service/x HTTP/1.1 \r\n" + HOST + b"\r\n",
    "version 1.10": b"GET /order-service/x HTTP/1.10\r\n" + HOST + b"\r\n",
    "name of another script": GET + b"X-\xc3\xa9: 1\r\n\r\n",
    "bell in a value": GET + b"X-A: 1\x072\r\n\r\n",
    "hidden encoding": START + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunked in HTTP/1.0": b"POST /order-service/x HTTP/1.0\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "negative chunk": CHUNKED + b"-1\r\n\r\n",
    "chunk with 0x": CHUNKED + b"0x4\r\nbody\r\n0\r\n\r\n",
    "endless chunk": CHUNKED + b"fffffffffffffffff\r\n",
    "chunk size and a space": CHUNKED + b"4 \r\nbody\r\n0\r\n\r\n",
    "chunk size and LF": CHUNKED + b"4\nbody\r\n0\r\n\r\n",
    "chunk that is longer": CHUNKED + b"4\r\nbody!\r\n0\r\n\r\n",
    "chunk size with a plus": CHUNKED + b"+4\r\nbody\r\n0\r\n\r\n",
    "chunk size behind a space": CHUNKED + b" 4\r\nbody\r\n0\r\n\r\n",
    "chunk size with a sign in it": CHUNKED + b"0_4\r\nbody\r\n0\r\n\r\n",
    "chunk without a size": CHUNKED + b"\r\nbody\r\n0\r\n\r\n",
    "chunk extension and LF": CHUNKED + b"4;a\nbody\r\n0\r\n\r\n",
    "chunk extension with CR": CHUNKED + b"4;a\rb\r\nbody\r\n0\r\n\r\n",
    "chunk and LF": CHUNKED + b"4\r\nbody\n0\r\n\r\n",
    "chunk without an end": CHUNKED + b"4\r\nbody0\r\n\r\n",
    "last chunk and LF": CHUNKED + b"4\r\nbody\r\n0\n\n",
    "encoding in the trailer": CHUNKED + b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "length in the trailer": CHUNKED + b"0\r\nContent-Length: 4\r\n\r\n",
    "two hosts": GET + b"Host: elsewhere\r\n\r\n",
    **{
        f"host {host!r}": b"GET /order-service/x HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
        for host in NO_HOSTS
    },
    **{
        f"address of {host!r}": b"GET http://"
        + host
        + b"/order-service/x HTTP/1.1\r\n"
        + HOST
        + b"\r\n"
        for host in NO_HOSTS
        if not set(host) & set(b" /?#")
    },
    "no host": b"GET /order-service/x HTTP/1.1\r\n\r\n",
    "host in no address": b"GET http:///order-service/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "user in the address": b"GET http://u@shop/order-service/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "another scheme": b"GET ftp://shop/order-service/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "fragment": b"GET /order-service/x#y HTTP/1.1\r\n" + HOST + b"\r\n",
    "no version": b"GET /order-service/x\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/2.0 in words": b"GET /order-service/x HTTP/2.0\r\n" + HOST + b"\r\n",
    "no method": b"SMUGGLE /order-service/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


def rest(connection: socket.socket) -> bytes:
    return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize("request_", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_what_could_be_read_in_two_ways_is_refused_and_ends_the_connection(
    shop: Shop, request_: bytes
) -> None:
    upstream = shop.upstream()

    with shop.raw() as connection:
        connection.sendall(request_ + SMUGGLED)
        check_raw(rest(connection), 400, "malformed-request")

    assert shop.call("/order-service/next").ok
    assert "/smuggled" not in {request.raw_path for request in upstream.seen}


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (GET + b"X-A: " + b"x" * 65_536 + b"\r\n\r\n", 431, "headers-too-large"),
        (GET + b"X-A: " + b"x" * 1_000_000, 431, "headers-too-large"),
        (GET + b"x" * 1_000_000, 431, "headers-too-large"),
        (b"GET /" + b"x" * 65_536 + b" HTTP/1.1\r\nHost: shop\r\n\r\n", 414, "uri-too-long"),
        (
            GET + b"".join(b"X-%d: 1\r\n" % i for i in range(129)) + b"\r\n",
            431,
            "headers-too-large",
        ),
        (b"\r\n" * 100_000, 431, "headers-too-large"),
        (CHUNKED + b"4;" + b"x" * 1_000_000, 431, "headers-too-large"),
        (CHUNKED + b"0\r\nX-A: " + b"x" * 1_000_000, 431, "headers-too-large"),
    ],
)
def test_what_is_too_long_is_refused_before_it_has_ended(
    shop: Shop, request_: bytes, status: int, code: str
) -> None:
    shop.upstream()

    with shop.raw() as connection:
        connection.sendall(request_)
        check_raw(read_answer(connection), status, code)

    assert shop.call("/order-service/next").ok


def test_a_request_may_come_byte_by_byte(shop: Shop) -> None:
    upstream = shop.upstream()
    request = CHUNKED + b"4;ext=1\r\nbody\r\n0\r\nX-Trailer: 1\r\n\r\n"

    with shop.raw() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            connection.sendall(bytes((byte,)))
        answer = read_answer(connection)

    assert b'"body": "body"' in answer
    assert "X-Trailer" not in upstream.seen[0].headers


def test_spaces_around_a_value_are_no_part_of_it(shop: Shop) -> None:
    upstream = shop.upstream()

    shop.say(GET + b"X-A: \t 1 \t\r\nX-B:2\r\nX-C:\r\n\r\n")

    seen = upstream.seen[0].headers
    assert (seen["X-A"], seen["X-B"], seen["X-C"]) == ("1", "2", "")


def test_the_host_of_an_absolute_address_counts(shop: Shop) -> None:
    upstream = shop.upstream()

    shop.say(b"GET http://real/order-service?q=1 HTTP/1.1\r\nHost: claimed\r\n\r\n")

    assert upstream.seen[0].headers["X-Forwarded-Host"] == "real"
    assert upstream.seen[0].raw_path == "/?q=1"


def test_what_is_refused_in_a_row_of_requests_is_answered_in_its_turn(shop: Shop) -> None:
    upstream = shop.upstream()
    good = b"POST /order-service/%d HTTP/1.1\r\nHost: shop\r\nContent-Length: 3\r\n\r\nabc"

    with shop.raw() as connection:
        connection.sendall(good % 1 + b"GET /nowhere HTTP/1.1\r\nHost: shop\r\n\r\n" + good % 2)
        connection.sendall(b"nonsense\r\n\r\n" + good % 3)
        answers = re.split(rb"HTTP/1\.1 (?=\d)", rest(connection))[1:]

    assert [answer[:3] for answer in answers] == [b"200", b"404", b"200", b"400"]
    assert [b"Connection: close" in answer for answer in answers] == [False, False, False, True]
    assert [request.raw_path for request in upstream.seen] == ["/1", "/2"]


def test_a_hundred_requests_at_once_are_answered_one_by_one(shop: Shop) -> None:
    shop.upstream()
    one = b"POST /order-service/%d HTTP/1.1\r\nHost: shop\r\nContent-Length: 4\r\n%s\r\nbody"

    with shop.raw() as connection:
        connection.sendall(b"".join(one % (number, b"") for number in range(100)))
        connection.sendall(one % (100, b"Connection: close\r\n"))
        response = rest(connection)

    places = [response.index(b'"path": "/%d"' % number) for number in range(101)]
    assert places == sorted(places)


def test_nothing_after_connection_close_is_a_request(shop: Shop) -> None:
    upstream = shop.upstream()

    with shop.raw() as connection:
        connection.sendall(GET + b"Connection: close\r\n\r\n" + SMUGGLED)
        assert rest(connection).count(b"HTTP/1.1 ") == 1

    assert [request.raw_path for request in upstream.seen] == ["/x"]


def test_a_body_that_nobody_wants_is_not_asked_for(shop: Shop) -> None:
    with shop.raw() as connection:
        connection.sendall(
            b"POST /nowhere HTTP/1.1\r\nHost: shop\r\nExpect: 100-continue\r\n"
            b"Content-Length: 4\r\n\r\n"
        )
        answer = rest(connection)

    check_raw(answer, 404, "not-found")
    assert b"Connection: close" in answer


def test_a_body_that_was_refused_does_not_become_a_request(shop: Shop) -> None:
    upstream = shop.upstream()

    with shop.raw() as connection:
        connection.sendall(
            b"POST /nowhere HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\n" + SMUGGLED
        )
        check_raw(read_answer(connection), 404, "not-found")
        connection.sendall(b"x" * (100 - len(SMUGGLED)) + SMUGGLED)
        assert rest(connection) == b""

    assert upstream.seen == []


def test_a_head_that_does_not_come_is_not_waited_for(shop: Shop) -> None:
    shop.set(fusebox__gateway__header_timeout_seconds=0.2)

    with shop.raw() as connection:
        connection.sendall(b"GET /order-service/x HT")
        check_raw(rest(connection), 408, "request-timeout")


def test_a_body_that_dribbles_is_not_waited_for_either(shop: Shop) -> None:
    upstream = shop.upstream()

    with shop.raw() as connection:
        connection.sendall(START + b"Content-Length: 100000\r\n\r\n")
        began = time.monotonic()
        connection.settimeout(0.05)
        answer = b""
        while not answer and time.monotonic() < began + 5:
            connection.sendall(b"x")
            try:
                answer = connection.recv(65_536)
            except TimeoutError:
                continue

    check_raw(answer, 408, "request-timeout")
    until(lambda: upstream.gone.is_set())


@pytest.mark.parametrize(
    "lines", [b"Expect: 100-Continue\r\nExpect: 100-continue\r\n", b"Expect: x, 100-continue\r\n"]
)
def test_who_expects_to_be_told_to_go_on_may_say_so_in_a_list(shop: Shop, lines: bytes) -> None:
    shop.upstream()

    with shop.raw() as connection:
        connection.sendall(START + lines + b"Content-Length: 4\r\n\r\n")
        assert connection.recv(65_536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"body")
        assert b'"body": "body"' in read_answer(connection)
