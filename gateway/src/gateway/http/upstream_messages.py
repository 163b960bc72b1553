"""What is asked of an instance, what it answers, and how that can fail."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from gateway.http.body_stream import BodyStream
from gateway.http.header_fields import HeaderFields
from gateway.http.tunnel import Tunnel


class UpstreamError(Exception):
    """An instance gave no proper answer."""


class NotConnected(UpstreamError):
    """It took no connection: nothing has been sent."""


class Disconnected(UpstreamError):
    """It closed before the head of an answer was complete; `is_silent` when nothing of it came."""

    def __init__(self, is_silent: bool = False) -> None:
        super().__init__()
        self.is_silent = is_silent


class UpstreamBody(Protocol):
    """A body that is sent as it comes.  `next` gives b"" at the end, and raises a Problem."""

    @property
    def length(self) -> int | None: ...

    async def next(self) -> bytes: ...


@dataclass(slots=True, eq=False)
class UpstreamRequest:
    """`target` is path and query as they came.

    `lines` are its header lines but for those that say how long the body is: with `has_length`
    that is said even of an empty one.  With `host` the instance is asked for that one, not for
    itself.  With `upgrade`, 101 is an answer, and the tunnel ends when it was unused for `idle`
    seconds.
    """

    method: str
    target: str
    lines: bytes
    body: bytes | UpstreamBody = b""
    has_length: bool = False
    host: str | None = None
    upgrade: str | None = None
    idle: float = 300.0

    def head(self, instance: str) -> bytes:
        host = instance if self.host is None else self.host
        first = f"{self.method} {self.target} HTTP/1.1\r\nHost: {host}\r\n".encode("latin-1")
        return b"%b%b%b\r\n" % (first, self.lines, self._framing())

    def _framing(self) -> bytes:
        """How long the body is, and what else belongs to one connection alone."""
        body, lines = self.body, b""
        if not isinstance(body, bytes):
            lines = (
                b"Transfer-Encoding: chunked\r\n"
                if body.length is None
                else b"Content-Length: %d\r\n" % body.length
            )
        elif body or self.has_length:
            lines = b"Content-Length: %d\r\n" % len(body)
        if self.upgrade is not None:
            upgrade = self.upgrade.encode("latin-1")
            lines += b"Connection: Upgrade\r\nUpgrade: %b\r\n" % upgrade
        return lines


class Aborting(Protocol):
    def abort(self) -> None: ...


@dataclass(slots=True, eq=False)
class UpstreamResponse:
    """A short body is whole already; on leaving, what is not read of a long one is called off."""

    status: int
    headers: HeaderFields
    body: bytes | BodyStream | Tunnel
    connection: Aborting

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    async def __aenter__(self) -> "UpstreamResponse":
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.drop()

    def drop(self) -> None:
        """It is not wanted, or not any more."""
        if isinstance(self.body, Tunnel):
            self.body.close()
        elif isinstance(self.body, BodyStream) and not self.body.is_whole:
            self.connection.abort()
