"""Each predicate, against requests that it takes and requests that it does not."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from multidict import CIMultiDict

from gateway.routing import route_definitions
from gateway.routing.predicates import FACTORIES, moment
from gateway.routing.request_view import RequestView
from gateway.routing.syntax import definitions
from gateway.routing.table import RouteTable

NOON = datetime.fromisoformat("2026-06-01T12:00:00+00:00").timestamp()


def view(path: str = "/x", headers: dict[str, str] | None = None, **given: Any) -> RequestView:
    return RequestView(
        **{
            "method": "GET",
            "path": path,
            "headers": CIMultiDict(headers or {}),
            "moment": NOON,
            **given,
        }
    )


def holds(text: str, request: RequestView) -> bool:
    return definitions.parse("here", text, FACTORIES).meaning.holds(request)


FORWARDED = {"X-Forwarded-For": "9.9.9.9, 10.1.2.3"}


@pytest.mark.parametrize(
    ("pattern", "path", "taken"),
    [
        ("/order-service/**", "/order-service/u/orders", True),
        ("/order-service/**", "/order-service/", True),
        ("/order-service/**", "/order-service", True),
        ("/order-service/**", "/order-services", False),
        ("/order-service/**", "/order-service%2Forders", False),
        ("/order-service/**", "//order-service/x", False),
        ("/order-service/**", "/ORDER-SERVICE/x", False),
        ("/a/*/c", "/a/b/c", True),
        ("/a/*/c", "/a//c", False),
        ("/a/*/c", "/a/b/d/c", False),
        ("/a/{name}/**", "/a/b/c/d", True),
        ("/a/{name}", "/a/b/", True),
        ("/a/{name}", "/a/", False),
        ("/a.b", "/aXb", False),
        ("/a/", "/a", False),
        ("/**", "/anything", True),
        ("/**", "/", True),
        ("/red/{x}, /blue/**", "/blue/1/2", True),
        ("/red/{x}, /blue/**", "/green/1", False),
        ("/a/{id:\\d+}", "/a/42", True),
        ("/a/{id:\\d+}", "/a/42x", False),
        ("/a/{id:\\d{1,3}}, /b", "/a/999", True),
        ("/a/{id:\\d{1,3}}, /b", "/a/9999", False),
        ("/a/{id:\\d{1,3}}, /b", "/b", True),
        ("/a/{any:.*}/c", "/a/b/c", True),
        ("/a/{any:.*}/c", "/a/b/b/c", False),
        ("/a/{any:[^,;]+}", "/a/b", True),
        ("/files/{*rest}", "/files", True),
        ("/files/{*rest}", "/files/a/b", True),
        ("/files/{*rest}", "/filesystem", False),
        ("/*.html", "/index.html", True),
        ("/*.html", "/a/index.html", False),
        ("/*.html", "/indexhtml", False),
        ("/x/file-?.txt", "/x/file-1.txt", True),
        ("/x/file-?.txt", "/x/file-12.txt", False),
        ("/x/{name}-{version:[\\d.]+}.jar", "/x/kafka-clients-4.3.jar", True),
        ("/x/{name}-{version:[\\d.]+}.jar", "/x/kafka.jar", False),
        ("/{user-id}/x", "/7/x", True),
        ("/a/{x},false", "/a/1/", False),
        ("/a/{x},true", "/a/1/", True),
    ],
)
def test_path(pattern: str, path: str, taken: bool) -> None:
    assert holds(f"Path={pattern}", view(path)) == taken


@pytest.mark.parametrize(
    ("predicates", "path", "variables"),
    [
        (["Path=/a/{id:\\d+}/{name}"], "/a/42/x", {"id": "42", "name": "x"}),
        (["Path=/a/{b}, /c/{d}/**"], "/c/1/2", {"d": "1"}),
        (["Path=/files/{*rest}"], "/files/a/b", {"rest": "/a/b"}),
        (["Path=/files/{*rest}"], "/files", {"rest": ""}),
        (["Path=/{n}-{v:\\d+}.jar"], "/a-b-1.jar", {"n": "a-b", "v": "1"}),
        (["Host={sub}.x.org", "Path=/{user-id}"], "/7", {"sub": "shop", "user-id": "7"}),
        (["Host={a:\\w+}.{b}.org"], "/", {"a": "shop", "b": "x"}),
        (["Host=shop.x.org", "Path=/**"], "/", {}),
    ],
)
def test_the_variables_of_paths_and_hosts_are_there_for_filters(
    predicates: list[str], path: str, variables: dict[str, str]
) -> None:
    entry = {"id": "r", "uri": "lb://x", "predicates": predicates}

    (route,) = route_definitions.parse([entry])

    assert route.takes(view(path, host="shop.x.org:8000"))
    assert route.variables(view(path, host="shop.x.org:8000")) == variables


def test_a_trailing_slash_may_be_refused() -> None:
    given = {"name": "Path", "args": {"patterns": "/a", "matchTrailingSlash": False}}
    predicate = definitions.parse("here", given, FACTORIES).meaning

    assert predicate.holds(view("/a"))
    assert not predicate.holds(view("/a/"))


@pytest.mark.parametrize(
    ("text", "request_", "taken"),
    [
        ("Method=GET,POST", view(method="POST"), True),
        ("Method=GET,POST", view(method="PUT"), False),
        ("Header=X-Id, \\d+", view(headers={"x-id": "42"}), True),
        ("Header=X-Id, \\d+", view(headers={"x-id": "42a"}), False),
        ("Header=X-Id, \\d+", view(), False),
        ("Header=X-Id", view(headers={"X-Id": ""}), True),
        ("Query=green", view(query="a=1&green"), True),
        ("Query=green", view(query="greens=1"), False),
        ("Query=red, gr(.)t", view(query="red=1&red=gr%65t"), True),
        ("Query=red, gr(.)t", view(query="red=great"), False),
        ("Host=**.example.org", view(host="a.b.example.org"), True),
        ("Host=**.example.org", view(host="example.org:8000"), True),
        ("Host=**.example.org", view(host="badexample.org"), False),
        ("Host=*.example.org", view(host="A.EXAMPLE.org"), True),
        ("Host=*.example.org", view(host="a.b.example.org"), False),
        ("Host=a.org, b.org:8000", view(host="b.org:8000"), True),
        ("Host=a.org, b.org:8000", view(host="b.org"), False),
        ("Host=a?.org", view(host="ab.org"), True),
        ("After=2026-06-01T11:59:59Z", view(), True),
        ("After=2026-06-01T12:00:01Z", view(), False),
        ("Before=2026-06-01T12:00:01+00:00[Europe/London]", view(), True),
        ("Before=2026-06-01T13:59:00+02:00", view(), False),
        ("Between=2026-06-01T11:00:00Z, 2026-06-01T13:00:00Z", view(), True),
        ("Between=2026-06-01T13:00:00Z, 2026-06-01T14:00:00Z", view(), False),
        ("Cookie=chocolate, ch.p", view(headers={"Cookie": "a=1; chocolate=chip"}), True),
        ("Cookie=chocolate, ch.p", view(headers={"Cookie": "chocolate=chips"}), False),
        ("Cookie=chocolate", view(headers={"Cookie": "dark-chocolate=1"}), False),
        ("RemoteAddr=10.0.0.0/8, ::1", view(remote="10.200.3.4"), True),
        ("RemoteAddr=10.0.0.0/8, ::1", view(remote="::1"), True),
        ("RemoteAddr=10.0.0.1/8", view(remote="::ffff:10.9.9.9"), True),
        ("RemoteAddr=10.0.0.0/8", view(remote="11.0.0.1"), False),
        ("RemoteAddr=10.0.0.0/8", view(remote=None), False),
        ("RemoteAddr=10.0.0.0/8", view(remote="unix:"), False),
        ("Host={sub}.example.org", view(host="a.example.org"), True),
        ("Host={sub}.example.org", view(host="a.b.example.org"), False),
        ("Host={sub:[a-c]+}.example.org", view(host="abc.example.org:80"), True),
        ("Host={sub:[a-c]+}.example.org", view(host="d.example.org"), False),
        ("Host=a.**.org", view(host="a.b.c.org"), True),
        ("Host=a.**.org", view(host="a.org"), True),
        ("Host=a.**.org", view(host="axorg"), False),
        ("After=1780315199000", view(), True),
        ("Before=1780315199000", view(), False),
        ("Between=1780315199000, 2026-06-01T13:00:00Z", view(), True),
        ("Header=X-Id, \\p{Alpha}{1,20}", view(headers={"X-Id": "abc"}), True),
        ("Header=X-Id, \\p{Alpha}{1,20}", view(headers={"X-Id": "ab1"}), False),
        ("Header=X-Id, \\d+", view(headers={"X-Id": "\u0663"}), False),
        ("XForwardedRemoteAddr=10.0.0.0/8", view(headers=FORWARDED), True),
        ("XForwardedRemoteAddr=9.0.0.0/8", view(headers=FORWARDED), False),
        ("XForwardedRemoteAddr=10.0.0.0/8", view(remote="10.0.0.1"), True),
        ("Weight=group, 0", view(), True),
    ],
)
def test_all_others(text: str, request_: RequestView, taken: bool) -> None:
    assert holds(text, request_) == taken


def test_every_predicate_is_tried_here() -> None:
    tried = {"Path"} | {row[0].partition("=")[0] for mark in marks() for row in mark.args[1]}

    assert tried == set(FACTORIES)


def marks() -> list[Any]:
    return [mark for mark in test_all_others.pytestmark if mark.name == "parametrize"]  # type: ignore[attr-defined]


def test_of_several_trusted_proxies_the_first_says_who_asked() -> None:
    args = {"sources": ["9.0.0.0/8"], "maxTrustedIndex": 2}
    given = {"name": "XForwardedRemoteAddr", "args": args}
    predicate = definitions.parse("here", given, FACTORIES).meaning

    assert predicate.holds(view(headers=FORWARDED))
    assert not predicate.holds(view(headers={"X-Forwarded-For": "9.9.9.9, 8.8.8.8, 10.1.2.3"}))
    lines = CIMultiDict([("X-Forwarded-For", "9.9.9.9"), ("X-Forwarded-For", "10.1.2.3")])
    assert predicate.holds(RequestView("GET", "/", headers=lines))


def test_a_moment_is_one_whatever_its_zone_is_called() -> None:
    assert moment("2026-06-01T05:00:00-07:00[America/Denver]") == NOON


# A model of the vocabulary of paths that knows nothing of regular expressions or of an index.
SEGMENTS = some.sampled_from(["a", "b", "a.b", "order-service", "%2F", "x1"])
PARTS = some.one_of(SEGMENTS, some.just("*"), some.just("{n}"))
PATHS = some.builds(
    lambda parts, end: "/" + "/".join(parts) + end,
    some.lists(some.one_of(SEGMENTS, some.just("")), max_size=4),
    some.sampled_from(["", "/"]),
)
PATTERNS = some.builds(
    lambda parts, end: "/" + "/".join(parts) + end if parts else end or "/",
    some.lists(PARTS, max_size=3, unique_by=lambda part: part if part == "{n}" else object()),
    some.sampled_from(["", "/**"]),
)


def model(pattern: str, path: str) -> bool:
    wanted, segments = pattern.split("/")[1:], path.split("/")[1:]
    if wanted[-1] == "**":
        wanted = wanted[:-1]
        if len(segments) < len(wanted):
            return False
        segments = segments[: len(wanted)]
    elif len(segments) == len(wanted) + 1 and segments[-1] == "" and wanted[-1] != "":
        segments = segments[:-1]
    return len(wanted) == len(segments) and all(
        bool(part) if expected in ("*", "{n}") else expected == part
        for expected, part in zip(wanted, segments, strict=True)
    )


@given(pattern=PATTERNS, path=PATHS)
def test_a_path_pattern_takes_what_the_model_takes(pattern: str, path: str) -> None:
    assert holds(f"Path={pattern}", view(path)) == model(pattern, path)


METHODS = some.sampled_from(["GET", "PUT", None])
GIVEN = some.lists(some.tuples(PATTERNS, METHODS, some.integers(-1, 1)), max_size=8)


@given(given=GIVEN, path=PATHS, method=some.sampled_from(["GET", "PUT"]))
def test_the_table_finds_what_asking_one_after_another_finds(
    given: list[tuple[str, str | None, int]], path: str, method: str
) -> None:
    entries = [
        {
            "id": str(i),
            "uri": "lb://x",
            "order": order,
            "predicates": [f"Path={pattern}", *([f"Method={only}"] if only else [])],
        }
        for i, (pattern, only, order) in enumerate(given)
    ]

    route = RouteTable(route_definitions.parse(entries)).find(view(path, method=method))

    right = [
        (order, i)
        for i, (pattern, only, order) in enumerate(given)
        if model(pattern, path) and only in (None, method)
    ]
    assert (route.id if route else None) == (str(min(right)[1]) if right else None)
