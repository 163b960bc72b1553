"""What a browser is told with every answer, whoever made it."""

import pytest

from .conftest import Shop
from .routes import configure, route, saying

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
HSTS = "Strict-Transport-Security"


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/order-service/x", "GET", 200),
        ("/order-service/x", "HEAD", 200),
        ("/order-service/x", "POST", 200),
        ("/catalog-service/x", "GET", 503),
        ("/nowhere", "GET", 404),
        ("/order-service/..;/x", "GET", 400),
        ("/order-service/actuator/env", "GET", 401),
        ("/actuator/health/liveness", "GET", 200),
        ("/actuator/env", "GET", 401),
        ("/moved", "GET", 302),
    ],
)
def test_every_answer_has_them(shop: Shop, path: str, method: str, status: int) -> None:
    shop.upstream()
    moved = route("moved", "RedirectTo=302, https://shop.test/", uri="no://op")
    moved["predicates"] = ["Path=/moved"]
    configure(shop, route("order-service"), route("catalog-service"), moved)

    answer = shop.call(path, method)

    assert answer.status_code == status
    assert answer.headers.items() >= HEADERS.items()
    assert HSTS not in answer.headers


def test_what_is_no_request_is_answered_with_them_too(shop: Shop) -> None:
    answer = shop.say(b"nonsense\r\n\r\n")

    for name, value in HEADERS.items():
        assert f"\r\n{name}: {value}\r\n".encode() in answer


def test_a_service_may_say_its_own(shop: Shop) -> None:
    own = {"Content_Security_Policy": "default-src 'self'", "Referrer_Policy": "origin"}
    shop.upstream(saying("x", 200, **own))

    answer = shop.call("/order-service/x")

    assert answer.headers["Content-Security-Policy"] == "default-src 'self'"
    assert answer.headers["Referrer-Policy"] == "origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_is_only_kept_from_the_frames_of_others(shop: Shop) -> None:
    shop.upstream(saying("<p>", Content_Type="text/html; charset=utf-8"))

    answer = shop.call("/order-service/x")

    assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self'"


@pytest.mark.parametrize("path", ["/nowhere", "/actuator/health/liveness", "/catalog-service/x"])
def test_nobody_keeps_what_the_gateway_says_itself(shop: Shop, path: str) -> None:
    assert shop.call(path).headers["Cache-Control"] == "no-store"


def test_who_came_by_tls_is_told_to_come_so_again(shop: Shop) -> None:
    shop.upstream()
    shop.source["spring.cloud.gateway.trusted-proxies"] = "127.0.0.1"
    shop.set(fusebox__gateway__strict_transport_security="max-age=31536000")
    by_tls = {"X-Forwarded-For": "1.1.1.1", "X-Forwarded-Proto": "https"}

    for path in ("/order-service/x", "/nowhere", "/actuator/health/liveness"):
        assert shop.call(path, headers=by_tls).headers[HSTS] == "max-age=31536000"
        assert HSTS not in shop.call(path).headers
