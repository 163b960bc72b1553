"""Dead, slow and broken services: who is asked instead, what the client is told, when to stop."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from aiohttp import web

from .conftest import GET, PATIENCE, WAIT, Answer, Shop, read_answer, until
from .test_refusals import check


@contextmanager
def refusing() -> Iterator[int]:
    """A port at which nobody listens, held so that nobody else gets it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


class Rude:
    """Takes each request and says `answer`, which may be nothing, and closes."""

    def __init__(self, answer: bytes = b"") -> None:
        self.requests: list[bytes] = []
        self.closed = 0
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Rude":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(WAIT)

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(65_536))
                connection.sendall(self._answer)
            self.closed += 1


async def slow(_request: web.BaseRequest) -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError


def saying(status: int, code: str | None = None) -> Answer:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        kind = "application/problem+json" if code else "text/html"
        return web.Response(status=status, text=json.dumps({"code": code}), content_type=kind)

    return answer


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_instance_that_refuses_is_passed_over_and_then_avoided(shop: Shop, method: str) -> None:
    upstream = shop.upstream()
    with refusing() as port:
        shop.knows(port)

        for _ in range(20):
            assert shop.call("/order-service/x", method, data=b"x" * 70_000).ok

    assert len(upstream.seen) == 20
    assert shop.process.breakers.of("order-service").calls["failed"] == 0


def test_a_service_of_which_all_instances_refuse_is_unavailable(shop: Shop) -> None:
    with refusing() as one, refusing() as other:
        shop.knows(one)
        shop.knows(other)

        answer = shop.call("/order-service/x")

    check(answer, 503, "service-unavailable")
    assert int(answer.headers["Retry-After"]) >= 1


def test_a_service_that_nobody_has_registered_is_unavailable(shop: Shop) -> None:
    check(shop.call("/order-service/x"), 503, "service-unavailable")


def test_the_time_that_a_request_lies_unread_is_part_of_its_deadline(shop: Shop) -> None:
    upstream = shop.upstream(slow)
    is_busy, has_come = threading.Event(), threading.Event()

    def be_busy() -> None:
        is_busy.set()
        has_come.wait(WAIT)

    busy = threading.Thread(target=shop.servers.call, args=(be_busy,))
    busy.start()
    is_busy.wait(WAIT)
    with shop.raw() as connection:
        connection.sendall(GET + b"\r\n")
        came = time.time()
        threading.Event().wait(PATIENCE / 2)
        has_come.set()
        answer = read_answer(connection)
    busy.join(WAIT)

    assert b" 504 " in answer.partition(b"\r\n")[0]
    assert int(upstream.seen[0].headers["X-Request-Deadline"]) / 1000 <= came + PATIENCE


def test_a_service_that_is_too_slow_is_timed_out(shop: Shop) -> None:
    upstream = shop.upstream(slow)

    answer = shop.call("/order-service/x")

    check(answer, 504, "upstream-timeout")
    assert upstream.gone.wait(WAIT)


def test_a_short_answer_that_stops_half_way_is_timed_out_as_well(shop: Shop) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"half")
        await asyncio.Event().wait()
        return response

    shop.upstream(answer)

    check(shop.call("/order-service/x"), 504, "upstream-timeout")


def test_a_service_that_stops_reading_is_timed_out(shop: Shop) -> None:
    shop.upstream(slow)
    shop.set(fusebox__gateway__max_body_bytes=100_000_000)

    answer = shop.call("/order-service/x", "POST", data=b"x" * 20_000_000)

    check(answer, 504, "upstream-timeout")
    assert shop.process.breakers.of("order-service").failures == 1


def test_what_is_no_answer_makes_the_service_unavailable(shop: Shop) -> None:
    with Rude(b"nonsense\r\n\r\n") as rude:
        shop.knows(rude.port)

        check(shop.call("/order-service/x"), 503, "service-unavailable")

    assert shop.process.breakers.of("order-service").failures == 1


def test_an_early_answer_to_a_long_upload_arrives(shop: Shop) -> None:
    refused = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    with Rude(refused) as rude:
        shop.knows(rude.port)

        with shop.raw() as connection:
            connection.sendall(
                b"POST /order-service/x HTTP/1.1\r\nHost: shop\r\nContent-Length: 100000\r\n\r\nx"
            )

            assert connection.recv(65_536).startswith(b"HTTP/1.1 401 Unauthorized")


def test_whoever_refuses_a_long_upload_and_closes_is_heard(shop: Shop) -> None:
    """As servers do that take only so much: the answer, and the end for what is still to come."""
    shop.set(fusebox__gateway__max_body_bytes=100_000_000)
    refused = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"
    with Rude(refused) as rude:
        shop.knows(rude.port)

        for _ in range(20):
            with shop.raw() as connection, suppress(ConnectionError):
                connection.sendall(
                    b"POST /order-service/x HTTP/1.1\r\nHost: shop\r\n"
                    b"Content-Length: 20000000\r\n\r\n" + b"x" * 20_000_000
                )

    until(lambda: shop.process.breakers.of("order-service").calls["successful"] == 20)


def test_an_open_breaker_answers_at_once_and_asks_nobody(shop: Shop) -> None:
    upstream = shop.upstream(saying(503))
    other = shop.upstream(service="catalog-service")

    assert [shop.call("/order-service/x").status_code for _ in range(3)] == [503] * 3
    answer = shop.call("/order-service/x")

    check(answer, 503, "circuit-open")
    assert int(answer.headers["Retry-After"]) >= 1
    assert shop.breaker() == "OPEN"
    assert len(upstream.seen) == 3
    assert shop.call("/catalog-service/x").ok
    assert len(other.seen) == 1


def test_a_dead_service_opens_the_breaker_and_a_probe_closes_it(shop: Shop) -> None:
    upstream = shop.upstream()
    shop.servers.run(upstream.stop())

    codes = [shop.call("/order-service/x").json()["code"] for _ in range(4)]
    assert codes == ["service-unavailable"] * 3 + ["circuit-open"]

    shop.servers.run(upstream.start())
    shop.set(fusebox__breaker__reset_timeout_seconds=0.01)
    until(lambda: shop.call("/order-service/x").ok)
    assert shop.breaker() == "CLOSED"


@pytest.mark.parametrize("status", [503, 504])
def test_a_service_that_misses_another_is_well(shop: Shop, status: int) -> None:
    shop.upstream(saying(status, "service-unavailable"))

    answers = [shop.call("/order-service/x").status_code for _ in range(5)]

    assert answers == [status] * 5
    assert shop.breaker() == "CLOSED"


@pytest.mark.parametrize(
    ("status", "code"), [(503, None), (504, None), (502, None), (500, "internal-error")]
)
def test_a_service_that_is_broken_itself_opens_the_breaker(
    shop: Shop, status: int, code: str | None
) -> None:
    shop.upstream(saying(status, code))

    answers = [shop.call("/order-service/x").status_code for _ in range(4)]

    assert answers == [status] * 3 + [503]
    assert shop.breaker() == "OPEN"


@pytest.mark.parametrize("status", [400, 401, 404, 409, 422, 429])
def test_a_refusal_is_an_answer(shop: Shop, status: int) -> None:
    shop.upstream(saying(status))

    assert [shop.call("/order-service/x").status_code for _ in range(5)] == [status] * 5
    assert shop.breaker() == "CLOSED"


def test_a_trial_whose_client_goes_leaves_the_next_trial_to_another(shop: Shop) -> None:
    shop.set(fusebox__breaker__reset_timeout_seconds=0.01, fusebox__gateway__read_timeout_seconds=5)
    upstream = shop.upstream(saying(503))
    for _ in range(3):
        shop.call("/order-service/x")
    upstream.answer = slow
    until(lambda: shop.process.breakers.of("order-service").seconds_to_probe() == 0)

    with shop.raw() as connection:
        connection.sendall(b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\n\r\n")
        until(lambda: len(upstream.seen) == 4)
        check(shop.call("/order-service/x"), 503, "circuit-open")
    assert upstream.gone.wait(WAIT)
    upstream.answer = saying(200)

    until(lambda: shop.call("/order-service/x").ok)
    assert shop.breaker() == "CLOSED"
