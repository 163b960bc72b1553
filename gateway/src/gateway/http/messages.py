"""What passes between the transport and the rules: a request, and the response to it."""

import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from multidict import CIMultiDict, MultiMapping

from chassis.core.errors import Problem
from gateway.http.body_stream import BodyStream
from gateway.http.header_fields import HeaderFields, RawHeaders
from gateway.http.tunnel import Tunnel

Headers = CIMultiDict[str]


def authorization(headers: MultiMapping[str]) -> str | None:
    return combined(headers, "Authorization")


def host_of(headers: MultiMapping[str]) -> str:
    return headers.get("Host", "")


def combined(headers: MultiMapping[str], name: str) -> str | None:
    """All lines of a field as the one list that they are (RFC 9110, 5.3); None without any."""
    lines = headers.getall(name, ())
    return ", ".join(lines) if lines else None


@dataclass(slots=True, eq=False)
class Request:
    """`target` is path and query as they came, percent-encoding untouched.

    `remote` is the client's address; behind proxies `way` are the addresses from there to here, and
    `scheme` is what the first of them was asked by.  `upgrade` is the protocol that the client
    would like to go on with, `body` None when there is none, `trace_id` what the rules have called
    it, and `came` when it may have come, by time.monotonic.
    """

    method: str
    target: str
    path: str
    query: str
    headers: HeaderFields
    version: str
    remote: str
    body: BodyStream | None = None
    way: tuple[str, ...] = ()
    scheme: str = "http"
    upgrade: str | None = None
    keep_alive: bool = True
    trace_id: str | None = None
    came: float = field(default_factory=time.monotonic)


class Response:
    """`body` is whole, or a stream that passes chunk by chunk, each within `timeout` seconds.

    A Tunnel goes with status 101 only.  Headers of the connection are not among `headers`.
    """

    __slots__ = ("_headers", "body", "raw", "status", "timeout")

    def __init__(
        self,
        status: int,
        headers: Headers | RawHeaders | None = None,
        body: bytes | BodyStream | Tunnel = b"",
        timeout: float | None = None,
    ) -> None:
        self.status = status
        self.raw: RawHeaders | None = None
        self._headers: Headers | None = None
        if isinstance(headers, RawHeaders):
            self.raw = headers
        else:
            self._headers = CIMultiDict() if headers is None else headers
        self.body = body
        self.timeout = timeout

    @property
    def headers(self) -> Headers:
        """To be looked at and changed; those that were `raw` are not any more."""
        if self._headers is None:
            self._headers, self.raw = CIMultiDict(self.raw or ()), None
        return self._headers


# Called once for a request; what breaks off half-way raises ConnectionError.
Send = Callable[[Response], Awaitable[None]]
Handle = Callable[[Request, Send], Coroutine[Any, Any, None]]
# The answer to what never became a request, or broke the handler.
Refuse = Callable[[Request | None, Problem], Response]
