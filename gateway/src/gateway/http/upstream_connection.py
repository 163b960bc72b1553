"""One connection to an instance: one call at a time."""

import asyncio
import math
import os
import re
import select
from collections.abc import Callable
from contextlib import suppress
from typing import cast

import httptools

from chassis.core.errors import Problem
from gateway.http import framing
from gateway.http.body_stream import BodyStream
from gateway.http.event_loop import Timer
from gateway.http.header_fields import HeaderFields, RawPair
from gateway.http.tunnel import Tunnel
from gateway.http.upstream_messages import (
    Disconnected,
    UpstreamBody,
    UpstreamError,
    UpstreamRequest,
    UpstreamResponse,
)

# What is whole can be judged and sent in one go, and its sender holds nobody else up.
SHORT = 65_536
LONGEST_HEAD = 131_072
SWITCHING = 101
HIGHEST_STATUS = 599
# So fresh it need not be looked at: had it closed, the loop would have told.
JUST_NOW = 0.05
# An instance that says for how long it keeps a connection closes it then, whatever is on its way.
KEEPS = re.compile(rb"timeout\s*=\s*(\d{1,9})", re.IGNORECASE)
MARGIN_SECONDS = 1.0


class UpstreamConnection(asyncio.Protocol):
    """`freed` is called when the next call may come; `free_since` is the loop's time then."""

    _transport: asyncio.Transport

    def __init__(self, host: str, freed: Callable[["UpstreamConnection"], None]) -> None:
        self._host = host
        self._freed = freed
        self._loop = asyncio.get_running_loop()
        self._request: UpstreamRequest | None = None
        self._answer: asyncio.Future[UpstreamResponse] | None = None
        self._timer = Timer(self._loop, lambda: self._fail(TimeoutError()))
        self._sending: asyncio.Task[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._is_paused = False
        self._poll = select.poll()
        self._keeps = math.inf
        self.free_since = 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._expect_head()

    def _expect_head(self) -> None:
        self._pairs: list[RawPair] = []
        self._head: UpstreamResponse | None = None
        self._length: int | None = None
        self._ends_with_connection = False
        self._is_interim = False
        self._chunks: list[bytes] = []
        self._stream: BodyStream | None = None
        self._unanswered = 0
        self._is_silent = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def is_fresh(self, now: float) -> bool:
        """Whether it may be used again: open, and silent, for what would it have to say?"""
        if self._transport.is_closing() or now - self.free_since > self._keeps:
            return False
        return now - self.free_since < JUST_NOW or not self._poll.poll(0)

    def abort(self) -> None:
        self._transport.abort()

    def close(self) -> None:
        self._transport.close()

    async def ask(self, request: UpstreamRequest, timeout: float) -> UpstreamResponse:
        """The answer, within `timeout` seconds; of an UpstreamBody, each step has as many as well.

        Raises UpstreamError, TimeoutError, and the Problem of an UpstreamBody.
        """
        self._expect_head()
        self._request = request
        answer: asyncio.Future[UpstreamResponse] = self._loop.create_future()
        self._answer = answer
        head = request.head(self._host)
        if isinstance(request.body, bytes):
            self._transport.write(head + request.body)
            self._timer.start(timeout)
        else:
            self._transport.write(head)
            self._sending = self._loop.create_task(self._send(request.body, timeout))
        try:
            return await answer
        except asyncio.CancelledError:
            if answer.done() and not answer.cancelled():
                answer.exception()  # what nobody asks for is logged
            self._end_call()
            self.abort()
            raise

    def data_received(self, data: bytes) -> None:
        self._unanswered += len(data)
        self._is_silent = False
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as pause:
            self._switch(data[pause.args[0] :])
        except httptools.HttpParserError as error:
            self._fail(UpstreamError(str(error)))
        else:
            self._stream_if_long()
            if self._unanswered > LONGEST_HEAD:
                self._fail(UpstreamError("its head is too long"))

    def connection_lost(self, error: Exception | None) -> None:
        self._timer.end()
        if error is not None:
            self._read_rest()
        if self._request is None:
            return
        if self._head is None:
            self._fail(Disconnected(self._is_silent))
        elif self._ends_with_connection and error is None:
            self._complete()
        else:
            self._fail(UpstreamError("the answer broke off half-way"))

    def _read_rest(self) -> None:
        """What came before the write that failed: who refuses a long body says so, and closes."""
        descriptor = self._transport.get_extra_info("socket").fileno()
        with suppress(OSError):
            while self._request is not None and (data := os.read(descriptor, SHORT)):
                self.data_received(data)

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def on_message_begin(self) -> None:
        if self._request is None:
            raise UpstreamError("an answer that nobody has asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._pairs.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if not 100 <= status <= HIGHEST_STATUS:
            raise UpstreamError(f"its status is {status}")
        self._unanswered = 0
        self._is_interim = 100 <= status < 200 and status != SWITCHING
        if self._is_interim:
            self._pairs = []
            return
        headers = HeaderFields(self._pairs)
        self._pairs = []  # for trailers, which are dropped
        self._head = UpstreamResponse(status, headers, b"", self)
        self._measure(status, headers)
        if b"keep-alive" in headers.first:
            self._note_promise(b", ".join(headers.lines(b"keep-alive")))
        if self._is_bodiless(self._head):
            self._complete()
            self._parser = httptools.HttpResponseParser(self)  # this one waits for a body

    def _note_promise(self, text: bytes) -> None:
        if promise := KEEPS.search(text):
            self._keeps = int(promise.group(1)) - MARGIN_SECONDS

    def _is_bodiless(self, head: UpstreamResponse) -> bool:
        """Whether none comes, though the head may name the length of one (RFC 9110, 8.6)."""
        if head.status in framing.BODILESS:
            return bool(self._length) or b"transfer-encoding" in head.headers.first
        return self._request is not None and self._request.method == "HEAD"

    def on_body(self, chunk: bytes) -> None:
        if self._request is None:
            raise UpstreamError("a body that nobody has asked for")
        self._unanswered = 0
        if self._stream is not None:
            self._stream.feed(chunk)
        else:
            self._chunks.append(chunk)

    def on_message_complete(self) -> None:
        self._unanswered = 0
        if self._is_interim:
            self._is_interim = False
        elif self._head is not None and self._head.status != SWITCHING:
            self._complete()

    def _measure(self, status: int, headers: HeaderFields) -> None:
        first = headers.first
        encodings = headers.getall("Transfer-Encoding") if b"transfer-encoding" in first else ()
        if encodings and not framing.is_chunked(encodings):
            raise UpstreamError(f"its body is {encodings}")
        if b"content-length" in first:
            self._length = int(first[b"content-length"])
        elif not encodings and status not in framing.BODILESS:
            self._ends_with_connection = status != SWITCHING

    def _stream_if_long(self) -> None:
        head = self._head
        if head is None or self._request is None or self._stream is not None:
            return
        if head.status == SWITCHING:
            self._fail(UpstreamError("it changed the protocol without saying to which"))
        elif self._length is None or self._length > SHORT:
            self._stream = BodyStream(self._flow, self._length)
            for chunk in self._chunks:
                self._stream.feed(chunk)
            self._deliver(self._stream)

    def _switch(self, rest: bytes) -> None:
        head, request = self._head, self._request
        if head is None or request is None or request.upgrade is None:
            self._fail(UpstreamError("it changed the protocol, and nobody has asked for that"))
            return
        self._transport.pause_reading()
        protocol = head.headers.get("Upgrade", "")
        self._deliver(Tunnel(self._transport, protocol, rest, request.idle))
        self._end_call()

    def _deliver(self, body: bytes | BodyStream | Tunnel) -> None:
        self._timer.stop()
        if self._head is not None and self._answer is not None and not self._answer.done():
            self._head.body = body
            self._answer.set_result(self._head)

    def _complete(self) -> None:
        stays = self._parser.should_keep_alive() and not self._ends_with_connection
        stays = stays and (self._sending is None or self._sending.done())
        if self._stream is None:
            self._deliver(b"".join(self._chunks))
        else:
            self._stream.end()
        self._end_call()
        if stays:
            self.free_since = self._loop.time()
            self._freed(self)
        else:
            self._transport.close()

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
        elif self._stream is not None:
            self._stream.fail(error)
        self._end_call()
        self.abort()

    def _end_call(self) -> None:
        self._request = None
        self._timer.stop()
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        self._pause(False)

    def _flow(self) -> None:
        self._pause(self._request is not None and self._stream is not None and self._stream.is_full)

    def _pause(self, paused: bool) -> None:
        if paused == self._is_paused or self._transport.is_closing():
            return
        self._is_paused = paused
        if paused:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    async def _send(self, upload: UpstreamBody, timeout: float) -> None:
        is_chunked = upload.length is None
        try:
            while data := await upload.next():
                self._transport.writelines(framing.chunk(data) if is_chunked else (data,))
                if self._writable is not None:
                    async with asyncio.timeout(timeout):
                        await self._writable
        except (Problem, TimeoutError) as error:
            self._fail(error)
            return
        if is_chunked:
            self._transport.write(framing.LAST_CHUNK)
        if self._head is None:
            self._timer.start(timeout)
