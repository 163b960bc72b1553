"""What services believe cannot be said by a client, however it spells the name."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chassis.identity import assertions
from chassis.observability import tracing
from chassis.resilience import deadline
from gateway.http.header_fields import HeaderFields, parsed
from gateway.http.messages import Request
from gateway.proxy import headers
from gateway.proxy.internal_headers import is_internal

BELIEVED = (
    *("X-User-Id", "X-User-Roles", "X-User", "Remote-User", "X-Forwarded-For", "X-Forwarded-User"),
    *("X-Forwarded-Client-Cert", "Forwarded", "X-Real-IP", "X-Original-URL", "X-Rewrite-URL"),
    *("X-HTTP-Method-Override", "X-Internal-Caller", "X-Fusebox-Anything", "Content-Length"),
    *("Transfer-Encoding", "X-B3-TraceId", "traceparent", assertions.HEADER, deadline.DEADLINE),
    *(deadline.ATTEMPT, deadline.TIMEOUT, "X-Circuit-Breaker-Probe", "X-Span-Tags"),
)
PASSING = (
    *("Accept", "Authorization", "Content-Type", "Cookie", "Idempotency-Key", "Prefer", "Origin"),
    *("User-Agent", "X-Request-Id", "X-Users", "If-None-Match", "Range", "X-Custom"),
)


def request(*given: tuple[str, str]) -> Request:
    said = HeaderFields.of([("Host", "shop"), *given])
    return Request("GET", "/", "/", "", said, "1.1", "192.0.2.1")


def passed(*given: tuple[str, str]) -> list[str]:
    return [name.decode() for name, _ in headers.passing(request(*given).headers)]


@some.composite
def spelled(draw: some.DrawFn) -> str:
    """A name that services believe, in another case, and as CGI takes it for the same."""
    name = draw(some.sampled_from(BELIEVED))
    sign = some.sampled_from(["-", "_", "-", ".", "~"])
    return "".join(
        draw(sign) if letter == "-" else draw(some.sampled_from([letter.lower(), letter.upper()]))
        for letter in name
    )


@given(spelled(), spelled())
def test_no_spelling_of_a_name_that_services_believe_passes(one: str, other: str) -> None:
    said = [(one, "1"), ("Accept", "*/*"), (other, "2"), (one, "3"), ("Connection", other)]

    assert passed(*said) == ["Accept"]


@pytest.mark.parametrize("name", PASSING)
def test_what_services_take_from_clients_passes(name: str) -> None:
    assert passed((name, "1"), (name, "2")) == [name, name]


def test_whatever_the_gateway_says_itself_no_client_can_say() -> None:
    names = {name for name, _ in parsed(headers.own_lines(request(), "/order-service", {}))}

    assert names == {
        *("Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Via"),
        "X-Forwarded-Prefix",
    }
    for name in (*names, *deadline.outgoing(is_retry=True), *tracing.outgoing()):
        assert is_internal(name.encode()), name


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Via", "X-Request-Deadline", "Authorization"])
def test_a_client_cannot_have_what_the_gateway_says_taken_out(name: str) -> None:
    said = request(("Connection", f"close, {name}"), ("Via", "1.0 fred"))

    own = dict(parsed(headers.own_lines(said, "", {"X-Request-Deadline": "1"})))

    assert {"X-Forwarded-For", "Via", "X-Request-Deadline"} <= own.keys()
