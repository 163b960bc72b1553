"""Requests and kept answers as a test wants them."""

from typing import Any

from multidict import CIMultiDict

from gateway.cache import rules
from gateway.cache.rules import Kept
from gateway.routing.request_view import Seen


def asked(headers: dict[str, str] | None = None, path: str = "/x", **given: Any) -> Seen:
    return Seen(**{"method": "GET", "path": path, "headers": CIMultiDict(headers or {}), **given})


def keep(
    headers: dict[str, str],
    seen: Seen | None = None,
    status: int = 200,
    body: bytes = b"body",
    **when: float,
) -> Kept | None:
    when = {"asked": 100.0, "grace": 60.0, **when}
    return rules.keep("r", seen or asked(), status, list(headers.items()), body, **when)


def kept(headers: dict[str, str], **given: Any) -> Kept:
    found = keep(headers, **given)
    assert found is not None
    return found
