"""Requests and kept answers as a test wants them."""

from collections.abc import Iterable, Mapping
from typing import Any

from multidict import CIMultiDict

from gateway.cache import rules
from gateway.cache.rules import CachedResponse
from gateway.routing.request_view import RequestView


def asked(
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (), path: str = "/x", **given: Any
) -> RequestView:
    return RequestView(**{"method": "GET", "path": path, "headers": CIMultiDict(headers), **given})


def keep(
    headers: dict[str, str],
    view: RequestView | None = None,
    status: int = 200,
    body: bytes = b"body",
    **when: float,
) -> CachedResponse | None:
    when = {"asked": 100.0, "grace": 60.0, **when}
    return rules.keep("r", view or asked(), status, list(headers.items()), body, **when)


def kept(headers: dict[str, str], **given: Any) -> CachedResponse:
    entry = keep(headers, **given)
    assert entry is not None
    return entry
