"""A chain with the filters that a route needs answers, and asks, as one with all of them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from ..conftest import Shop, Upstream, echo
from ..routes import configure, route

ROUTES = [
    route("plain"),
    route("edits", "AddRequestHeader=X-A, b", "AddResponseHeader=X-C, d", "SetStatus=202"),
    route("limits", "RequestSize=20B", "RequestHeaderSize=60B", "RequestRateLimiter=100000"),
    route("moved", "RedirectTo=302, http://elsewhere.example/"),
    route("guarded", "CircuitBreaker=guarded, forward:/plain/instead", "Retry=1"),
    route("copied", "Shadow=lb://plain, 0.0", "PrefixPath=/a"),
]
# Of another request, or of another moment.
VOLATILE = re.compile(
    r"x-b3-.*|b3|traceparent|x-trace-.*|x-request-deadline|date|ratelimit|x-ratelimit-.*|host|age"
    r"|content-length|x-forwarded-host"
)
LINES = some.lists(
    some.sampled_from(
        [
            *("Accept: text/html", "Cookie: a=b", "X-Long: " + "x" * 70, "Via: 1.0 fred"),
            *("Cache-Control: no-cache", "Cache-Control: only-if-cached", "If-None-Match: *"),
            *("X-Request-Timeout-Ms: 900", "Forwarded: for=1.2.3.4", "b3: 0", "Range: bytes=0-1"),
            *("Connection: X-Mine", "X-Mine: 1", "Origin: https://shop.example", "TE: trailers"),
            *("Authorization: Bearer none", "Accept: text/event-stream", "x-a: \xfc", "X-A: 2"),
        ]
    ),
    max_size=6,
)
PATHS = some.sampled_from(["", "/", "/x", "/a%2Fb", "/actuator/env", "/x//y", "/%7e", "/x?a=b&c"])
BODIES = some.sampled_from(["", "short", "longer than twenty bytes"])


class Outcome(NamedTuple):
    """What the client got, and what the services were asked."""

    status: int
    headers: list[tuple[str, str]]
    body: Any
    asked: int


class Pair(NamedTuple):
    needed: tuple[Shop, Upstream]
    whole: tuple[Shop, Upstream]


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    pair = Pair(_shop(tmp_path_factory.mktemp("needed")), _shop(tmp_path_factory.mktemp("whole")))
    pair.whole[0].pass_all_filters()
    yield pair
    for shop, _ in pair:
        shop.close()


def _shop(folder: Path) -> tuple[Shop, Upstream]:
    shop = Shop(folder)
    upstream = shop.upstream(echo, "plain")
    for entry in ROUTES[1:]:
        shop.knows(upstream.port, entry["id"])
    shop.tokens.refresh()
    configure(shop, *ROUTES)
    return shop, upstream


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    some.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
    some.sampled_from([*(entry["id"] for entry in ROUTES), "unknown"]),
    PATHS,
    LINES,
    BODIES,
)
def test_both_chains_answer_alike_and_ask_alike(
    shops: Pair, method: str, name: str, path: str, lines: list[str], body: str
) -> None:
    head = [f"{method} /{name}{path} HTTP/1.1", "Host: shop.example", *lines]
    length = [f"Content-Length: {len(body)}"] if body else []
    request = "\r\n".join([*head, *length, "", body]).encode("latin-1")

    needed, whole = (_outcome(*shop, request, method) for shop in shops)

    assert needed == whole


def _outcome(shop: Shop, upstream: Upstream, request: bytes, method: str) -> Outcome:
    before = len(upstream.seen)
    with shop.raw() as connection, connection.makefile("rb") as answer:
        connection.sendall(request)
        status = int(answer.readline().split()[1])
        lines = [line.decode("latin-1") for line in iter(answer.readline, b"\r\n")]
        fields = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines)]
        length = int(dict(fields).get("content-length", 0))
        text = b"" if method == "HEAD" or status == 304 else answer.read(length)
    kept = sorted(pair for pair in fields if not VOLATILE.fullmatch(pair[0]))
    return Outcome(status, kept, _stable(text), len(upstream.seen) - before)


def _stable(text: bytes) -> Any:
    """What the service has seen, or a problem, without what differs from request to request."""
    try:
        document = json.loads(text)
    except ValueError:
        return text
    document.pop("traceId", None)
    seen = document.get("headers", [])
    document["headers"] = sorted(p for p in seen if not VOLATILE.fullmatch(p[0].lower()))
    return document
