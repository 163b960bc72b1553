"""The requests of one connection, out of its bytes: llhttp's strict parser, and our limits."""

from collections.abc import Callable
from typing import Protocol

import httptools

from chassis.core.errors import BadRequest, HeadersTooLarge, Problem, TargetTooLong
from gateway.http import authority, framing
from gateway.http.body_stream import BodyStream
from gateway.http.header_fields import HeaderFields, RawPair
from gateway.http.messages import Request, combined

# gunicorn takes lines of up to 8190 bytes, method and version included.
LONGEST_TARGET = 8001
# HTTP/2 without TLS: inside it whole requests would pass by every rule here.
NEVER_UPGRADED = "h2c"
NO_REQUEST = "This is not a request that HTTP/1.1 knows."
UNKNOWN_FRAMING = "A body can be chunked, and of HTTP/1.1, or have a length: nothing else."
NO_FIELDS = HeaderFields([])


class HeaderLimits(Protocol):
    @property
    def max_header_bytes(self) -> int: ...
    @property
    def max_headers(self) -> int: ...


class RequestReceiver(Protocol):
    """Who is told of what has come."""

    remote: str

    def arrived(self, request: Request) -> None: ...
    def flow(self) -> None: ...
    def go_on(self) -> None: ...


class RequestParser:
    """`feed` calls `taker.arrived` when a head is complete, and fills the request's body then.

    `is_between` is true while nothing of a next request has come.
    """

    def __init__(self, receiver: RequestReceiver, limits: Callable[[], HeaderLimits]) -> None:
        self._receiver = receiver
        self._limits = limits
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._pairs: list[RawPair] = []
        self._fields = NO_FIELDS
        self._in_head = True
        self._unanswered = 0
        self._body: BodyStream | None = None
        self._resumed: BodyStream | None = None
        self._is_cut = False
        self._held: bytes | None = None
        self.is_between = True
        self.is_broken = False

    def feed(self, data: bytes) -> None:
        """Raises the Problem that makes the rest of the connection unreadable."""
        if self._held is not None:
            self._hold(data)
            return
        # Whatever makes neither a head nor a body of so many bytes is too much of something.
        self._unanswered += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as pause:
            self._paused(data[pause.args[0] :])
        except httptools.HttpParserCallbackError as error:
            raise error.__context__ or error from error
        except httptools.HttpParserError as error:
            raise BadRequest(NO_REQUEST) from error
        if self._unanswered > LONGEST_TARGET and self._is_too_much():
            raise self._too_much()

    def fail(self, error: Exception) -> None:
        """Of a body that has begun; what has come of it can still be read."""
        if self._body is not None:
            self._body.fail(error)
            self._body = None
            self.is_broken = True

    @property
    def is_in_body(self) -> bool:
        return self._body is not None

    @property
    def is_full(self) -> bool:
        return self._body is not None and self._body.is_full

    def take_held(self) -> bytes:
        """What came after a request to upgrade, which has been granted."""
        held, self._held = self._held or b"", b""
        return held

    def decline(self) -> None:
        """The upgrade has not been granted: what follows is HTTP as before."""
        held, self._held = self._held, None
        if held is not None:
            self._go_on(held)

    def on_message_begin(self) -> None:
        self.is_between = False
        self._in_head = True
        self._url = b""
        self._pairs = []

    def on_url(self, part: bytes) -> None:
        self._url += part
        if len(self._url) > LONGEST_TARGET:
            raise TargetTooLong(f"The address is longer than {LONGEST_TARGET} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._pairs.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._resumed is not None:
            self._body, self._resumed = self._resumed, None
            return
        request = self._request()
        self._pairs = []  # for trailers, which are dropped
        self._unanswered = 0
        body = self._body = request.body
        if body and request.version == "1.1" and request.headers.once(_expects_go_on):
            body.on_first_read = self._receiver.go_on
        if self._parser.should_upgrade():
            self._upgrading(request)
        self._receiver.arrived(request)

    def on_body(self, chunk: bytes) -> None:
        self._unanswered = 0
        if self._body is not None:
            self._body.feed(chunk)

    def on_message_complete(self) -> None:
        if self._is_cut:
            return
        self._unanswered = 0
        self.is_between = True
        body, self._body = self._body, None
        if body is not None:
            body.end()

    def _request(self) -> Request:
        self._check_size()
        headers = self._fields
        if headers.pairs != self._pairs:
            headers = self._fields = HeaderFields(self._pairs)
        version = self._parser.get_http_version()
        target = self._url.decode()
        path, query, host = framing.split_target(target)
        if version not in CHECKS:
            raise BadRequest(NO_REQUEST)
        headers.once(CHECKS[version])
        if host is not None:
            headers = _with_host(headers, host)
        return Request(
            method=self._parser.get_method().decode(),
            target=target,
            path=path,
            query=query,
            headers=headers,
            version=version,
            remote=self._receiver.remote,
            body=self._stream(headers),
            keep_alive=self._parser.should_keep_alive(),
        )

    def _stream(self, headers: HeaderFields) -> BodyStream | None:
        if b"transfer-encoding" in headers.first:
            return BodyStream(self._receiver.flow, None)
        length = int(headers.first.get(b"content-length", 0))
        return BodyStream(self._receiver.flow, length) if length else None

    def _check_size(self) -> None:
        limits = self._limits()
        limit = limits.max_header_bytes
        if len(self._pairs) > limits.max_headers:
            raise HeadersTooLarge(f"There are more than {limits.max_headers} headers.")
        # The bytes that have come are no fewer, so there is hardly ever anything to add up.
        if self._unanswered > limit and _size(self._pairs) > limit:
            raise HeadersTooLarge(f"The headers are longer than {limit} bytes together.")

    def _is_too_much(self) -> bool:
        return self._unanswered > self._limits().max_header_bytes + LONGEST_TARGET

    def _too_much(self) -> Problem:
        if self._in_head and not self._pairs and len(self._url) > LONGEST_TARGET:
            return TargetTooLong(f"The address is longer than {LONGEST_TARGET} bytes.")
        return HeadersTooLarge(
            f"The headers are longer than {self._limits().max_header_bytes} bytes together."
        )

    def _upgrading(self, request: Request) -> None:
        """httptools skips the body of whoever asks to upgrade: it is read by another parser."""
        wish = ", ".join(request.headers.getall("Upgrade", ()))
        if request.method == "CONNECT":
            request.keep_alive = False
        elif request.body is not None:
            self._is_cut = True
        elif NEVER_UPGRADED not in wish.lower() and request.version == "1.1":
            request.upgrade = wish
            self._held = b""

    def _paused(self, rest: bytes) -> None:
        if self._held is not None:
            self._hold(rest)
        elif self._is_cut:
            self._is_cut = False
            self._read_body_anew(rest)
        else:
            self._go_on(rest)

    def _read_body_anew(self, rest: bytes) -> None:
        body = self._resumed = self._body
        framed = "Transfer-Encoding: chunked"
        if body is not None and body.length is not None:
            framed = f"Content-Length: {body.length}"
        self._go_on(f"POST / HTTP/1.1\r\n{framed}\r\n\r\n".encode())
        self.feed(rest)

    def _go_on(self, data: bytes) -> None:
        self._parser = httptools.HttpRequestParser(self)
        if data:
            self.feed(data)

    def _hold(self, data: bytes) -> None:
        self._held = (self._held or b"") + data
        if len(self._held) > self._limits().max_header_bytes:
            raise BadRequest("The other protocol may not begin before it has been agreed to.")


def _with_host(headers: HeaderFields, host: str) -> HeaderFields:
    others = [pair for pair in headers.pairs if pair[0].lower() != b"host"]
    return HeaderFields([*others, (b"Host", host.encode("latin-1"))])


def _size(pairs: list[RawPair]) -> int:
    return sum(len(name) + len(value) + 4 for name, value in pairs)


def _expects_go_on(headers: HeaderFields) -> bool:
    expected = combined(headers, "Expect")
    return expected is not None and "100-continue" in expected.lower().replace(" ", "").split(",")


def _check_of_1_1(headers: HeaderFields) -> None:
    """What llhttp leaves to us.  Raises BadRequest."""
    if "Host" not in headers:
        raise BadRequest(NO_REQUEST)
    _check_host(headers)
    encodings = headers.getall("Transfer-Encoding", ())
    if encodings and not framing.is_chunked(encodings):
        raise BadRequest(UNKNOWN_FRAMING)


def _check_of_1_0(headers: HeaderFields) -> None:
    _check_host(headers)
    if "Transfer-Encoding" in headers:
        raise BadRequest(UNKNOWN_FRAMING)


def _check_host(headers: HeaderFields) -> None:
    hosts = headers.getall("Host", ())
    if len(hosts) > 1:
        raise BadRequest(NO_REQUEST)
    if hosts and not authority.is_valid(hosts[0]):
        raise BadRequest("The header Host is not one host, with a port or without.")


CHECKS = {"1.1": _check_of_1_1, "1.0": _check_of_1_0}
