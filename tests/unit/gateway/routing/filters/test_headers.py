"""Headers on their way to the service and to the client."""

from typing import Any

import pytest
from multidict import CIMultiDict

from gateway.routing import route_definitions
from gateway.routing.request_view import RequestView
from gateway.routing.route import Route

Pairs = list[tuple[str, str]]


def view(path: str = "/berlin/x", host: str = "shop.test:8000") -> RequestView:
    return RequestView("GET", path, headers=CIMultiDict({"Host": host}), host=host)


def route(*filters: Any) -> Route:
    entry = {"id": "r", "uri": "lb://x", "predicates": ["Path=/{kind}/**"], "filters": [*filters]}
    return route_definitions.parse([entry])[0]


@pytest.mark.parametrize(
    ("text", "given", "becomes"),
    [
        (
            "AddRequestHeadersIfNotPresent=X-A:1,X-B:{kind}, X-B:3",
            [("x-a", "0"), ("x-b", " ")],
            [("x-a", "0"), ("X-B", "berlin"), ("X-B", "3")],
        ),
        ("MapRequestHeader=Blue, Red", [("blue", "1"), ("Blue", "2")], None),
        ("MapRequestHeader=Blue, Red", [("Green", "1")], [("Green", "1")]),
        (
            "RewriteRequestHeader=User-Agent, /[\\d.]+, /x",
            [("User-Agent", "a/1.2 b/3"), ("X", "a/1")],
            [("User-Agent", "a/x b/x"), ("X", "a/1")],
        ),
        ("PreserveHostHeader", [("A", "1")], [("A", "1"), ("Host", "shop.test:8000")]),
        ("SetRequestHostHeader={kind}.test", [("Host", "x")], [("Host", "berlin.test")]),
    ],
)
def test_headers_for_the_service(text: str, given: Pairs, becomes: Pairs | None) -> None:
    becomes = becomes or [*given, ("Red", "1"), ("Red", "2")]

    assert list(route(text).request_headers(view(), given)) == becomes


TWICE = [("Vary", "a"), ("X", "1"), ("vary", "b"), ("Vary", "a")]


@pytest.mark.parametrize(
    ("text", "given", "becomes"),
    [
        ("DedupeResponseHeader=Vary", TWICE, [("Vary", "a"), ("X", "1")]),
        ("DedupeResponseHeader=X Vary, RETAIN_LAST", TWICE, [("X", "1"), ("Vary", "a")]),
        (
            "DedupeResponseHeader=Vary, RETAIN_UNIQUE",
            TWICE,
            [("Vary", "a"), ("X", "1"), ("vary", "b")],
        ),
        ("RewriteResponseHeader=X-Red, , a, b", [("X-Red", "aa")], [("X-Red", "bb")]),
        (
            "RewriteResponseHeader=X-Red, password=[^&]+, password=***",
            [("X-Red", "/42?user=ford&password=omg!what&flag=true")],
            [("X-Red", "/42?user=ford&password=***&flag=true")],
        ),
        ("AddResponseHeadersIfNotPresent=A:1,B:2", [("a", "0")], [("a", "0"), ("B", "2")]),
    ],
)
def test_headers_for_the_client(text: str, given: Pairs, becomes: Pairs) -> None:
    assert list(route(text).response_headers(view(), given)) == becomes


@pytest.mark.parametrize(
    ("filter_", "path", "location", "becomes"),
    [
        ("", "/some/object", "https://in.net/v2/some/1", "https://shop.test:8000/some/1"),
        ("", "/v1/some", "https://in.net:99/v2/some/1", "https://shop.test:8000/v2/some/1"),
        ("", "/some", "/v1/some", "/v1/some"),
        ("", "/some", "gopher://in.net/v1/x", "gopher://in.net/v1/x"),
        ("AS_IN_REQUEST, Location, ,", "/v1/a", "http://in.net/v1/a", "http://shop.test:8000/v1/a"),
        ("NEVER_STRIP", "/some", "http://in.net/v2/a", "http://shop.test:8000/v2/a"),
        ("ALWAYS_STRIP, Location, a.b", "/v1/some", "http://in.net/v1/a", "http://a.b/a"),
        ("NEVER_STRIP, Location, a.b, https", "/x", "http://in.net/a", "http://in.net/a"),
    ],
)
def test_the_address_of_an_answer_is_the_one_outside(
    filter_: str, path: str, location: str, becomes: str
) -> None:
    named = f"RewriteLocationResponseHeader{'=' if filter_ else ''}{filter_}"

    headers = route(named).response_headers(view(path), [("Location", location)])

    assert dict(headers) == {"Location": becomes}


def test_secure_headers_are_springs_unless_the_service_has_its_own() -> None:
    plain = dict(route("SecureHeaders").response_headers(view(), [("x-frame-options", "ALLOW")]))
    args = {"frameOptions": "SAMEORIGIN", "disable": ["Strict-Transport-Security"]}
    other = dict(route({"name": "SecureHeaders", "args": args}).response_headers(view(), []))

    assert (len(plain), plain["x-frame-options"]) == (8, "ALLOW")
    assert plain["Strict-Transport-Security"] == "max-age=631138519"
    assert (len(other), other["X-Frame-Options"]) == (7, "SAMEORIGIN")
    assert "Strict-Transport-Security" not in other


@pytest.mark.parametrize(
    ("filter_", "said"),
    [
        ("AddRequestHeadersIfNotPresent=X-A", "keyValues: 'X-A' is not name:value"),
        ("DedupeResponseHeader=Vary, RETAIN", "strategy: 'RETAIN' is unknown (known: RETAIN_FIRST"),
        ("DedupeResponseHeader=a:b", "'a:b' is not the name of a header"),
        ("RewriteLocationResponseHeader=SOMETIMES", "stripVersion: 'SOMETIMES' is unknown"),
        ("SetRequestHostHeader=a/b", "host: 'a/b' is not a host"),
        ("PreserveHostHeader=true", "has no shortcut form with arguments"),
        ({"name": "SecureHeaders", "args": {"disable": "X-Y"}}, "disable: 'x-y' is unknown"),
        ("ModifyRequestBody=x", "'ModifyRequestBody' is not supported: a body passes as it came"),
    ],
)
def test_what_is_wrong_is_said(filter_: Any, said: str) -> None:
    with pytest.raises(ValueError, match=r"route r: filters\[0\]") as refused:
        route(filter_)

    assert said in str(refused.value)
