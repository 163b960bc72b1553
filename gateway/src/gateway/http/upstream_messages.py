"""What is asked of an instance, what it answers, and how that can fail."""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from gateway.http import framing
from gateway.http.body_stream import BodyStream
from gateway.http.messages import Headers
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

    With `upgrade`, 101 is an answer, and the tunnel ends when it was unused for `idle` seconds.
    """

    method: str
    target: str
    headers: Headers
    body: bytes | UpstreamBody
    upgrade: str | None = None
    idle: float = 300.0

    def frame(self) -> None:
        """Say how long the body is, and what else belongs to one connection alone."""
        body, headers = self.body, self.headers
        if not isinstance(body, bytes):
            if body.length is None:
                headers["Transfer-Encoding"] = framing.CHUNKED
            else:
                headers["Content-Length"] = str(body.length)
        elif body:
            headers["Content-Length"] = str(len(body))
        if self.upgrade is not None:
            headers["Connection"] = "Upgrade"
            headers["Upgrade"] = self.upgrade


class Aborting(Protocol):
    def abort(self) -> None: ...


@dataclass(slots=True, eq=False)
class UpstreamResponse:
    """A short body is whole already; on leaving, what is not read of a long one is called off."""

    status: int
    headers: Headers
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
