"""Clients that hold connections, or send what they send slowly: bounded, and told so."""

import socket
import time
from contextlib import ExitStack

import pytest

from ..conftest import GET, WAIT, Shop, read_answer, until
from ..test_refusals import START, check_raw

OTHER_ADDRESS = "127.0.0.2"
LAST = GET + b"Connection: close\r\n\r\n"


def connected(shop: Shop, stack: ExitStack, address: str = "127.0.0.1") -> socket.socket:
    to = ("127.0.0.1", shop.port)
    return stack.enter_context(socket.create_connection(to, WAIT, (address, 0)))


def is_served(connection: socket.socket) -> bool:
    connection.sendall(GET + b"\r\n")
    return read_answer(connection).startswith(b"HTTP/1.1 200 ")


def trickle(connection: socket.socket, first: bytes, more: bytes) -> bytes:
    """The answer to `first` and then a byte now and then, so that never is nothing sent."""
    connection.sendall(first)
    connection.settimeout(0.02)
    for byte in more:
        try:
            return connection.recv(65_536)
        except TimeoutError:
            connection.sendall(bytes((byte,)))
    return b""


def test_a_client_has_no_more_connections_than_it_may(shop: Shop) -> None:
    shop.upstream()
    shop.set(fusebox__gateway__max_connections_per_client=3)
    with ExitStack() as stack:
        own = [connected(shop, stack) for _ in range(3)]
        assert all(is_served(connection) for connection in own)

        refused = read_answer(connected(shop, stack))
        check_raw(refused, 503, "overloaded")
        assert b"\r\nRetry-After: 1\r\n" in refused
        assert b"\r\nConnection: close\r\n" in refused
        assert is_served(connected(shop, stack, OTHER_ADDRESS))
        assert all(is_served(connection) for connection in own)

        own[0].close()
        until(lambda: is_served(connected(shop, stack)))


def test_all_clients_together_have_no_more_connections_than_there_are(shop: Shop) -> None:
    shop.upstream()
    shop.set(fusebox__gateway__max_connections=2)
    with ExitStack() as stack:
        assert is_served(connected(shop, stack))
        other = connected(shop, stack, OTHER_ADDRESS)
        assert is_served(other)

        check_raw(read_answer(connected(shop, stack, "127.0.0.3")), 503, "overloaded")

        shop.set(fusebox__gateway__max_connections=3)
        assert is_served(connected(shop, stack, "127.0.0.3"))


def test_a_flood_of_connections_leaves_nothing_behind(shop: Shop) -> None:
    shop.upstream()
    shop.set(fusebox__gateway__max_connections_per_client=5)
    with ExitStack() as stack:
        for _ in range(300):
            connected(shop, stack)
        until(lambda: len(shop.server._connections) == 5)

    until(lambda: not shop.server._connections and not shop.server._of_clients)
    with ExitStack() as stack:
        assert is_served(connected(shop, stack))


def test_a_head_that_comes_byte_by_byte_has_its_time_too(shop: Shop) -> None:
    shop.set(fusebox__gateway__header_timeout_seconds=0.3)
    with ExitStack() as stack:
        answer = trickle(connected(shop, stack), GET, b"X-A: " + b"a" * 200)

    check_raw(answer, 408, "request-timeout")


@pytest.mark.parametrize(
    "head", [b"Content-Length: 4000\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\nfff\r\n"]
)
def test_a_body_that_comes_byte_by_byte_has_its_time_too(shop: Shop, head: bytes) -> None:
    shop.upstream()
    shop.set(fusebox__gateway__body_timeout_seconds=0.3)
    with ExitStack() as stack:
        answer = trickle(connected(shop, stack), START + head, b"b" * 200)

    check_raw(answer, 408, "request-timeout")


def test_a_connection_that_nobody_uses_is_closed(shop: Shop) -> None:
    shop.upstream()
    shop.set(fusebox__gateway__idle_timeout_seconds=0.2)
    with ExitStack() as stack:
        fresh, used = connected(shop, stack), connected(shop, stack)
        assert is_served(used)
        began = time.monotonic()

        assert fresh.recv(100) == used.recv(100) == b""

    assert time.monotonic() - began < WAIT


def test_a_request_has_no_more_headers_than_it_may(shop: Shop) -> None:
    shop.upstream()
    shop.set(fusebox__gateway__max_headers=4)

    assert shop.say(LAST).startswith(b"HTTP/1.1 200 ")
    many = GET + b"".join(b"X-%d: 1\r\n" % number for number in range(4)) + b"\r\n"
    check_raw(shop.say(many), 431, "headers-too-large")
