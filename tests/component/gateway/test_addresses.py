"""Addresses on the way: IPv6 as RFC 3986 writes it, and none of an instance's outside."""

import socket
from collections.abc import Iterator

import pytest
from aiohttp import web

from gateway.http.server import HttpServer

from .conftest import GET, Shop, Upstream, echo
from .routes import configure, route


@pytest.fixture
def on_ipv6(shop: Shop) -> Iterator[Upstream]:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    made = Upstream(shop.servers, echo, host="::1")
    shop.servers.run(made.start())
    yield made
    shop.servers.run(made.stop())


@pytest.mark.parametrize("host", ["::1", "0:0:0:0:0:0:0:1"])
def test_an_ipv6_address_stands_in_brackets_in_host(
    shop: Shop, on_ipv6: Upstream, host: str
) -> None:
    shop.knows(on_ipv6.port, host=host)

    answers = [shop.call("/order-service/x") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert {request.host for request in on_ipv6.seen} == {f"[::1]:{on_ipv6.port}"}


def test_a_route_may_lead_to_an_ipv6_address(shop: Shop, on_ipv6: Upstream) -> None:
    configure(shop, route("elsewhere", uri=f"http://[::1]:{on_ipv6.port}"))

    assert shop.call("/elsewhere/x").ok
    assert on_ipv6.seen[0].host == f"[::1]:{on_ipv6.port}"


def test_a_client_may_have_an_ipv6_address(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    shop.set(fusebox__gateway__access_log=True)
    shop.upstream()
    gateway = shop.gateway
    server = HttpServer(gateway.handle, gateway.refuse, gateway.client_limits, gateway.is_proxy)
    port = shop.servers.run(server.open("::1", 0))

    with socket.create_connection(("::1", port), 5) as connection, caplog.at_level("INFO"):
        host = f"[::1]:{port}".encode()
        connection.sendall(GET.replace(b"shop", host) + b"Connection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))

    shop.servers.run(server.close(0.1))
    assert b'["X-Forwarded-For", "::1"]' in answer
    assert b'["X-Forwarded-Host", "' + host + b'"]' in answer
    assert b'for=\\"[::1]\\"' in answer
    assert "::1" in [vars(line).get("client.address") for line in caplog.records]


@pytest.mark.parametrize("name", ["Location", "Content-Location", "Link", "Refresh", "X-Other"])
@pytest.mark.parametrize(
    "written", ["http://127.0.0.1:{}/a", "HTTP://LocalHost:{}/a", "//u@localhost:{}/a"]
)
def test_no_header_of_an_answer_says_where_the_service_is(
    shop: Shop, name: str, written: str
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=201, headers={name: written.format(upstream.port)})

    upstream = shop.upstream(answer)

    assert shop.call("/order-service/x").headers[name] == "/order-service/a"
