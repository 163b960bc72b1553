"""What the gateway refuses by itself, each in the contract's form and with a trace."""

import json
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec

from .conftest import BOTH_CHAINS, GET, Shop

pytestmark = BOTH_CHAINS

START = b"POST /order-service/x HTTP/1.1\r\nHost: shop\r\n"


def check(answer: requests.Response, status: int, code: str) -> None:
    check_parts(answer.status_code, dict(answer.headers), answer.json(), status, code)


def check_raw(answer: bytes, status: int, code: str) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    check_parts(int(first.split()[1]), headers, json.loads(body), status, code)


def check_parts(
    answered: int, headers: dict[str, str], document: dict[str, Any], status: int, code: str
) -> None:
    assert (answered, document["status"], document["code"]) == (status, status, code)
    assert headers["Content-Type"] == "application/problem+json"
    assert headers["X-Trace-Id"] == document["traceId"]
    assert headers["X-Trace-Url"] == f"http://zipkin.example/zipkin/traces/{document['traceId']}"
    assert document.keys() >= {"type", "title", "detail"}
    assert "127.0.0.1" not in json.dumps(document)


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/order-services/x", "/actuators", "//nowhere", "/order-service%2Fx"]
)
def test_an_unknown_address_is_not_found(shop: Shop, path: str) -> None:
    check_raw(shop.say(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()), 404, "not-found")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        *(
            (path, 400, "malformed-request")
            for path in (
                *("/order-service/..;/x", "/order-service;v=1/x", "/order-service/a\\b"),
                *("/order-service/a%5cb", "/order-service/..%2fx", "/order-service/%2541"),
                *("/order-service/%zz", "/order-service/..%3bx/y", "http://shop/order-service/;"),
            )
        ),
        *(
            (path, 404, "not-found")
            for path in ("/order-service/a%00", "/order-service/%0d%0aX:", "/order-service/%c0%ae")
        ),
    ],
)
def test_a_path_that_servers_read_differently_is_refused(
    shop: Shop, path: str, status: int, code: str
) -> None:
    upstream = shop.upstream()

    check_raw(shop.say(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()), status, code)

    assert not upstream.seen


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(
            (path, 401)
            for path in (
                *("/order-service/%61ctuator/env", "//order-service//actuator/env"),
                *("/order-service/x/../actuator/env", "/order-service/actuator%2Fenv"),
                *("/%61ctuator/env", "/x/%2e%2e/actuator/env", "/order-service/ACTUATOR/env"),
            )
        ),
        *((path, 400) for path in ("/actuator;x/env", "/order-service/..%2factuator/env")),
    ],
)
def test_no_spelling_of_a_path_is_a_way_round_a_role(shop: Shop, path: str, status: int) -> None:
    upstream = shop.upstream()
    shop.tokens.refresh()

    answer = shop.say(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())

    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert not upstream.seen


@pytest.mark.parametrize(
    "path",
    ["/order-service/x", "//order-service/%78", "/order-service;a/x", "/%256frder-service/x"],
)
def test_no_spelling_of_a_path_is_a_way_round_the_blocklist(shop: Shop, path: str) -> None:
    shop.upstream()
    shop.source["fusebox.gateway.blocked[0].id"] = "closed"
    shop.source["fusebox.gateway.blocked[0].predicates[0]"] = "Path=/order-service/**"
    shop.configuration.refresh()

    check_raw(shop.say(f"GET {path} HTTP/1.1\r\nHost: shop\r\n\r\n".encode()), 403, "blocked")


def test_a_body_over_the_limit_is_refused_before_the_service_is_asked(shop: Shop) -> None:
    upstream = shop.upstream()

    answer = shop.call("/order-service/x", "POST", data=b"x" * 200_001)

    check(answer, 413, "body-too-large")
    assert not upstream.seen


def test_a_body_that_only_turns_out_to_be_over_the_limit_is_refused_as_well(shop: Shop) -> None:
    shop.upstream()

    with shop.raw() as connection:
        connection.sendall(START + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(4):
            connection.sendall(b"10000\r\n" + b"x" * 65_536 + b"\r\n")

        check_raw(connection.recv(65_536), 413, "body-too-large")

    assert shop.process.breakers.of("order-service").failures == 0


def test_a_body_at_the_limit_passes(shop: Shop) -> None:
    shop.upstream()

    assert shop.call("/order-service/x", "POST", data=b"x" * 200_000).ok


@pytest.mark.parametrize(
    ("lines", "status", "code"),
    [
        (b"X-A: " + b"x" * 17_000 + b"\r\n", 431, "headers-too-large"),
        (
            b"".join(b"X-%d: %s\r\n" % (i, b"x" * 1_000) for i in range(17)),
            431,
            "headers-too-large",
        ),
        (b"".join(b"X-%d: 1\r\n" % i for i in range(200)), 431, "headers-too-large"),
    ],
)
def test_headers_over_the_limit_are_refused(
    shop: Shop, lines: bytes, status: int, code: str
) -> None:
    shop.upstream()

    check_raw(
        shop.say(b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\n" + lines + b"\r\n"), status, code
    )


def test_a_long_header_below_the_limit_passes(shop: Shop) -> None:
    shop.upstream()

    assert shop.call("/order-service/x", headers={"X-A": "x" * 15_000}).ok


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n", 414, "uri-too-long"),
        (b"nonsense\r\n\r\n", 400, "malformed-request"),
        (b"GET /order-service/x HTTP/1.1\r\n\r\n", 400, "malformed-request"),
        (
            b"GET /order-service/x HTTP/1.1\r\nHost: shop\r\nbad header\r\n\r\n",
            400,
            "malformed-request",
        ),
        (b"GET /order-service/\xfc HTTP/1.1\r\nHost: shop\r\n\r\n", 400, "malformed-request"),
        (START + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400, "malformed-request"),
        (
            START + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "malformed-request",
        ),
        (START + b"Content-Length: five\r\n\r\nhello", 400, "malformed-request"),
        (
            START + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
            400,
            "malformed-request",
        ),
        (START + b"Transfer-Encoding: gzip\r\n\r\nhello", 400, "malformed-request"),
        (b"OPTIONS * HTTP/1.1\r\nHost: shop\r\n\r\n", 404, "not-found"),
        (b"CONNECT shop:80 HTTP/1.1\r\nHost: shop:80\r\n\r\n", 404, "not-found"),
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_is_fine(
    shop: Shop, request_: bytes, status: int, code: str
) -> None:
    upstream = shop.upstream()

    check_raw(shop.say(request_), status, code)

    assert shop.call("/order-service/next").ok
    assert [request.raw_path for request in upstream.seen if request.raw_path != "/x"] == ["/next"]


def test_a_body_that_does_not_come_is_not_waited_for(shop: Shop) -> None:
    shop.upstream()

    check_raw(shop.say(START + b"Content-Length: 5\r\n\r\nhe"), 408, "request-timeout")
    check_raw(
        shop.say(START + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhe"), 408, "request-timeout"
    )
    assert shop.process.breakers.of("order-service").failures == 0


def test_an_absolute_address_is_an_address(shop: Shop) -> None:
    shop.upstream()

    answer = shop.say(b"GET http://shop/order-service/x?q=1 HTTP/1.1\r\nHost: shop\r\n\r\n")

    assert b'"path": "/x?q=1"' in answer


def test_a_good_token_passes_and_a_bad_one_is_refused_at_once(shop: Shop) -> None:
    upstream = shop.upstream()
    shop.tokens.refresh()
    another = ec.generate_private_key(ec.SECP256R1())

    assert shop.call("/order-service/x", headers=shop.token()).ok
    for headers, code in (
        (shop.token(exp=1), "token-expired"),
        (shop.token(key=another), "unauthenticated"),
        ({"Authorization": "Bearer nonsense"}, "unauthenticated"),
        ({"Authorization": "Basic dTpw"}, "unauthenticated"),
    ):
        answer = shop.call("/order-service/x", headers=headers)
        check(answer, 401, code)
        sent = headers["Authorization"].startswith("Bearer")
        challenge = 'Bearer error="invalid_token", error_description=' if sent else "Bearer"
        assert answer.headers["WWW-Authenticate"].startswith(challenge)
    assert len(upstream.seen) == 1


def test_two_lines_of_credentials_are_none(shop: Shop) -> None:
    upstream = shop.upstream()
    shop.tokens.refresh()
    line = f"Authorization: {shop.token()['Authorization']}\r\n".encode()

    check_raw(shop.say(GET + line + line + b"\r\n"), 401, "unauthenticated")

    assert not upstream.seen


def test_without_keys_the_service_decides(shop: Shop) -> None:
    shop.upstream()

    answer = shop.call("/order-service/x", headers={"Authorization": "Bearer nonsense"})

    assert answer.ok
    assert ["Authorization", "Bearer nonsense"] in answer.json()["headers"]


@pytest.mark.parametrize("prefix", ["/order-service", ""])
def test_of_the_actuators_only_health_and_info_are_public(shop: Shop, prefix: str) -> None:
    shop.upstream()
    check(
        shop.call(f"{prefix}/actuator/env", headers=shop.token("admin")), 503, "service-unavailable"
    )
    shop.tokens.refresh()

    for page in ("env", "prometheus", "circuitbreakers", "", "loggers"):
        inner = f"{prefix}/actuator/{page}"
        check(shop.call(inner), 401, "unauthenticated")
        refused = shop.call(inner, headers=shop.token())
        check(refused, 403, "forbidden")
        assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
        assert shop.call(inner, headers=shop.token("admin")).status_code == 200
    for page in ("health/liveness", "info"):
        assert shop.call(f"{prefix}/actuator/{page}").ok
        check(shop.call(f"{prefix}/actuator/{page}", "POST"), 401, "unauthenticated")


def test_what_breaks_inside_is_an_internal_error_and_nothing_of_it_shows(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the secret")

    monkeypatch.setattr("gateway.proxy.headers.own_lines", broken)

    answer = shop.call("/order-service/x")

    check(answer, 500, "internal-error")
    assert "secret" not in answer.text
    assert "the secret" in caplog.text
