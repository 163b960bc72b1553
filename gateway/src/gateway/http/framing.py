"""How heads are written and targets read: what both sides of the gateway have in common."""

import time
from collections.abc import Iterable, Sequence
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple

from multidict import CIMultiDict

from chassis.core.errors import BadRequest
from gateway.http import authority
from gateway.http.header_fields import RawHeaders, RawPair
from gateway.http.messages import Request, Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
LAST_CHUNK = b"0\r\n\r\n"
CHUNKED = "chunked"
# A body is neither sent nor announced with these.
BODILESS = frozenset((204, 304))
REASONS = {status.value: status.phrase for status in HTTPStatus}


def response_head(version: str, status: int, headers: CIMultiDict[str]) -> bytes:
    lines = "\r\n".join(map(": ".join, headers.items()))
    return status_line(version, status) + f"{lines}\r\n\r\n".encode("latin-1")


@lru_cache(maxsize=1024)
def status_line(version: str, status: int) -> bytes:
    return f"HTTP/{version} {status} {REASONS.get(status, 'Unknown')}\r\n".encode()


def header_lines(pairs: Iterable[RawPair]) -> bytes:
    lines = b"\r\n".join(map(b": ".join, pairs))
    return lines + b"\r\n" if lines else b""


def is_chunked(encodings: Sequence[str]) -> bool:
    """Whether that is all that was done to a body; what else there is, nobody here can undo."""
    return len(encodings) == 1 and encodings[0].lower() == CHUNKED


def chunk(data: bytes) -> tuple[bytes, bytes, bytes]:
    return b"%x\r\n" % len(data), data, b"\r\n"


def split_target(target: str) -> tuple[str, str, str | None]:
    """Path, query, and the host of an absolute address.  Raises BadRequest."""
    host = None
    if not target.startswith("/"):
        target, host = _without_host(target)
    if "#" in target:
        raise BadRequest("An address has no fragment where it is asked for.")
    path, _, query = target.partition("?")
    return path, query, host


def _without_host(target: str) -> tuple[str, str | None]:
    scheme, separator, rest = target.partition("://")
    if not separator:
        return target, None  # `*`, or what CONNECT has: an address of nothing here
    end = min((at for at in (rest.find("/"), rest.find("?")) if at >= 0), default=len(rest))
    host, inner = rest[:end], rest[end:]
    if scheme.lower() not in ("http", "https") or not authority.is_valid(host):
        raise BadRequest("This is not an address that HTTP/1.1 knows.")
    return (inner if inner.startswith("/") else f"/{inner}"), host


class DateHeader:
    """The time as headers have it, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def text(self) -> str:
        second = int(time.time())
        if second != self._second:
            self._second = second
            self._text = formatdate(second, usegmt=True)
        return self._text


class ConnectionState(NamedTuple):
    """Of the connection that a response goes to: whether it `closes` then, and what time it is."""

    closes: bool
    clock: DateHeader


def whole_response(
    request: Request | None, response: Response, body: bytes, connection: ConnectionState
) -> bytes:
    """Head and body; `request` is None for what never became one."""
    is_head = request is not None and request.method == "HEAD"
    if response.raw and request and not is_head and response.status not in BODILESS:
        return _raw(request.version, response.status, response.raw, body, connection)
    headers = response.headers
    if response.status == 204:
        headers.popall("Content-Length", None)
    if response.status in BODILESS:
        return head_of_response(request, response, connection)
    if is_head:
        if body:  # without one nobody knows how long GET's would be (RFC 9110, 8.6)
            headers.setdefault("Content-Length", str(len(body)))
        return head_of_response(request, response, connection)
    headers["Content-Length"] = str(len(body))
    return head_of_response(request, response, connection) + body


def head_of_response(
    request: Request | None, response: Response, connection: ConnectionState
) -> bytes:
    version, headers = request.version if request else "1.1", response.headers
    if connection.closes:
        headers["Connection"] = "close"
    elif version == "1.0":
        headers["Connection"] = "keep-alive"
    if "Date" not in headers:
        headers["Date"] = connection.clock.text()
    return response_head(version, response.status, headers)


def _raw(
    version: str, status: int, raw: RawHeaders, body: bytes, connection: ConnectionState
) -> bytes:
    """With the headers as they came."""
    own = raw.own
    if connection.closes:
        own += b"Connection: close\r\n"
    elif version == "1.0":
        own += b"Connection: keep-alive\r\n"
    if b"date" not in raw.names:
        own += b"Date: %b\r\n" % connection.clock.text().encode()
    if b"content-length" not in raw.names:
        own += b"Content-Length: %d\r\n" % len(body)
    first, lines = status_line(version, status), header_lines(raw.pairs)
    return b"%b%b%b\r\n%b" % (first, lines, own, body)
