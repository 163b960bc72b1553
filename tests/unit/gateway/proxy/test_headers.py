"""Headers on their way through, in both directions."""

from multidict import CIMultiDict

from chassis.discovery.instances import Instance
from gateway.http.header_fields import HeaderFields, decoded, parsed
from gateway.http.messages import Request
from gateway.proxy import headers

INSTANCE = Instance("i", "order-service", "10.0.0.7", 8080)
TRACE = {"X-B3-TraceId": "1" * 32, "X-B3-SpanId": "2" * 16, "X-B3-Sampled": "1"}


def upstream(*given: tuple[str, str]) -> CIMultiDict[str]:
    said = HeaderFields.of([("Host", "shop"), *given])
    request = Request("GET", "/", "/", "", said, "1.1", "192.0.2.1")
    return sent(request, "/order-service")


def sent(request: Request, prefix: str) -> CIMultiDict[str]:
    own = headers.own_lines(request, prefix, TRACE)
    return CIMultiDict([*decoded(headers.passing(request.headers)), *parsed(own)])


def answer(*given: tuple[str, str]) -> CIMultiDict[str]:
    said = HeaderFields.of(given)
    passed = headers.to_client(said, INSTANCE, "/order-service", "order-service")
    return CIMultiDict(passed)


def test_what_belongs_to_the_connection_stays_there_also_when_connection_names_it() -> None:
    passed = upstream(
        ("Connection", "close, X-Mine"),
        ("connection", "x-other"),
        ("X-Mine", "1"),
        ("X-Other", "2"),
        ("Keep-Alive", "5"),
        ("TE", "trailers"),
        ("Trailer", "X"),
        ("Transfer-Encoding", "chunked"),
        ("Upgrade", "h2c"),
        ("Proxy-Authorization", "Basic x"),
        ("Accept", "*/*"),
    )

    assert {name.lower() for name in passed} == {
        "accept",
        "via",
        "x-b3-sampled",
        "x-b3-spanid",
        "forwarded",
        "x-b3-traceid",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-prefix",
        "x-forwarded-proto",
    }


def test_duplicates_pass_in_their_order() -> None:
    assert upstream(("X-A", "1"), ("X-B", "2"), ("x-a", "3")).getall("X-A") == ["1", "3"]
    assert answer(("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")).getall("Set-Cookie") == [
        "a=1",
        "b=2",
    ]


def test_a_callers_own_trace_headers_are_replaced() -> None:
    passed = upstream(("b3", "0"), ("traceparent", "00-a-b-01"), ("x-b3-traceid", "3"))

    assert passed.getall("X-B3-TraceId") == ["1" * 32]
    assert "b3" not in passed
    assert "traceparent" not in passed


def test_the_way_is_told_to_the_service() -> None:
    passed = upstream(
        ("X-Forwarded-For", "1.2.3.4"),
        ("X-Forwarded-For", "5.6.7.8"),
        ("X-Forwarded-Host", "evil"),
        ("X-Forwarded-Port", "9999"),
        ("X-Forwarded-Ssl", "on"),
        ("Via", "1.0 fred"),
    )

    assert passed.getall("X-Forwarded-For") == ["192.0.2.1"]
    assert passed.getall("X-Forwarded-Host") == ["shop"]
    assert passed["X-Forwarded-Proto"] == "http"
    assert passed["X-Forwarded-Prefix"] == "/order-service"
    assert "X-Forwarded-Port" not in passed
    assert "X-Forwarded-Ssl" not in passed
    assert passed["Via"] == "1.0 fred, 1.1 gateway"
    assert passed["Forwarded"] == 'proto=http;host="shop";for="192.0.2.1"'


def test_what_a_client_says_it_was_forwarded_by_is_not_believed() -> None:
    passed = upstream(("Forwarded", "for=1.2.3.4"), ("forwarded", 'for="_b";proto=https'))

    assert passed.getall("Forwarded") == ['proto=http;host="shop";for="192.0.2.1"']


def test_what_a_trusted_proxy_says_goes_on() -> None:
    said = HeaderFields.of([("Host", "shop"), ("X-Forwarded-For", "evil, 192.0.2.1")])
    request = Request("GET", "/", "/", "", said, "1.1", "2001:db8::1")
    request.way, request.scheme = ("2001:db8::1", "10.0.0.1"), "https"
    passed = dict(parsed(headers.own_lines(request, "", {})))

    assert passed["X-Forwarded-For"] == "2001:db8::1, 10.0.0.1"
    assert passed["X-Forwarded-Proto"] == "https"
    assert passed["Forwarded"] == ('for="[2001:db8::1]", proto=https;host="shop";for="10.0.0.1"')


def test_an_address_with_colons_is_in_brackets_and_no_host_ends_its_quotes() -> None:
    said = HeaderFields.of([("Host", 'a";for=evil:80')])
    request = Request("GET", "/", "/", "", said, "1.1", "2001:db8::1")

    assert sent(request, "")["Forwarded"] == 'proto=http;host="a;for=evil:80";for="[2001:db8::1]"'


def test_an_answers_trace_headers_and_those_of_its_connection_stay_behind() -> None:
    assert not answer(("X-Trace-Id", "theirs"), ("Connection", "close"))


def test_an_address_of_ours_never_leaves() -> None:
    moved = answer(("Location", "http://10.0.0.7:8080/u/orders/"))
    nowhere = answer(("Location", "http://10.0.0.7:8080"))
    elsewhere = answer(("Location", "https://example.org/x"))
    near = answer(("Location", "http://10.0.0.7:80801/x"))

    assert moved["Location"] == "/order-service/u/orders/"
    assert nowhere["Location"] == "/order-service/"
    assert elsewhere["Location"] == "https://example.org/x"
    assert near["Location"] == "http://10.0.0.7:80801/x"
