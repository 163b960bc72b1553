"""One client's connection: its requests in their order, and a response to each."""

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, cast

from chassis.core.errors import NotSentInTime, Problem
from gateway.http import framing
from gateway.http.body_stream import BodyStream
from gateway.http.framing import ConnectionState
from gateway.http.messages import Request, Response
from gateway.http.request_parser import RequestParser
from gateway.http.tunnel import Tunnel

if TYPE_CHECKING:
    from gateway.http.server import HttpServer

log = logging.getLogger(__name__)

# A client that is refused may still be sending; so long is it listened to, lest the reset that
# follows takes the answer with it.
LINGER_SECONDS = 2.0


class ClientConnection(asyncio.Protocol):
    """Requests that come before the last one is answered wait, and nothing more is read then."""

    _transport: asyncio.Transport

    def __init__(self, server: "HttpServer") -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._parser = RequestParser(self, server.limits)
        self._waiting: deque[Request | Problem] = deque()
        self._task: asyncio.Task[None] | None = None
        self._request: Request | None = None
        self._has_begun = False  # to answer it
        self._closes = False  # when it is answered
        self._takes_more = True
        self._is_lingering = False
        self._is_reading = True
        self._writable: asyncio.Future[None] | None = None
        self._since = self._loop.time()
        self.remote = "unknown"

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not derived from it
        peer = transport.get_extra_info("peername")
        # Without the zone of an IPv6 address: it means nothing on another machine.
        self.remote = peer[0].partition("%")[0] if peer else "unknown"
        try:
            self._server.entered(self)
        except Problem as problem:
            if not self._transport.is_closing():
                self._refuse(None, problem)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        if self._parser.is_between:
            self._since = self._loop.time()
        try:
            self._parser.feed(data)
        except Problem as problem:
            self._unreadable(problem)
        if self._waiting or not self._is_reading:
            self.flow()

    def eof_received(self) -> bool:
        """Who sends no more has gone, as nginx has it, and what was asked for is called off.

        But who has said so before (`Connection: close`) may only have closed its own half.
        """
        is_whole = not (self._takes_more or self._is_lingering or self._parser.is_in_body)
        return is_whole and self._request is not None

    def connection_lost(self, _error: Exception | None) -> None:
        self._takes_more = False
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
        self._server.left(self)

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    def arrived(self, request: Request) -> None:
        """Called by the reader."""
        if not self._takes_more:
            return
        self._takes_more = request.keep_alive
        request.came = self._server.heartbeat.earliest()
        self._next(request)

    def flow(self) -> None:
        """Called by the body of a request when it is full, and when there is room again."""
        should_read = self._is_lingering or not (self._waiting or self._parser.is_full)
        if should_read != self._is_reading and not self._transport.is_closing():
            self._is_reading = should_read
            if should_read:
                self._transport.resume_reading()
            else:
                self._transport.pause_reading()

    def go_on(self) -> None:
        if not self._has_begun:
            self._transport.write(framing.CONTINUE)

    def check(self, now: float) -> None:
        """Called by the sweep: is this taking too long?"""
        if self._task is not None or not self._takes_more:
            return
        waited = now - self._since
        if self._parser.is_between:
            if waited > self._server.limits().idle:
                self._transport.close()
        elif waited > self._server.limits().head:
            self._unreadable(NotSentInTime("The request did not come in time."))

    def close_if_idle(self) -> None:
        if self._task is None:
            self._transport.close()

    def abort(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._transport.abort()

    async def send(self, response: Response) -> None:
        """The response to the request under way.  ConnectionError when it broke off half-way."""
        assert self._request is not None
        self._has_begun = True
        request, body = self._request, response.body
        if isinstance(body, bytes):
            state = self._state_after(request)
            self._transport.write(framing.whole_response(request, response, body, state))
            if self._writable is not None:
                await self._until_written()
        elif isinstance(body, Tunnel):
            await self._join(response, body)
        else:
            await self._pass_on(request, response, body)

    def _next(self, entry: Request | Problem) -> None:
        if self._request is not None:
            self._waiting.append(entry)
        elif isinstance(entry, Problem):
            self._refuse(None, entry)
        else:
            self._request = entry
            self._has_begun = False
            self._task = self._loop.create_task(self._server.handle(entry, self.send))
            self._task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Task[None]) -> None:
        request, self._request, self._task = self._request, None, None
        error = None if task.cancelled() else task.exception()
        if task.cancelled():
            self._transport.abort()
        elif request is None or self._transport.is_closing():
            return
        elif error is not None:
            self._failed(request, error)
        else:
            self._answered(request)

    def _failed(self, request: Request, error: BaseException) -> None:
        if self._has_begun:
            log.warning("an answer broke off half-way: %s", type(error).__name__)
            self._transport.abort()
            return
        # Its task has ended, and the trace with it.
        extra = {"trace_id": request.trace_id} if request.trace_id else {}
        log.error("unexpected error at %s", request.path, exc_info=error, extra=extra)
        self._refuse(
            request, Problem("Something broke here; it is in the log under this trace id.")
        )

    def _answered(self, request: Request) -> None:
        if request.body is not None and not request.body.has_ended:
            self._linger()
        elif self._closes:
            self._linger() if self._parser.is_broken else self._transport.close()
        else:
            self._since = self._loop.time()
            self._decline_upgrade()
            if self._waiting and self._request is None:
                self._next(self._waiting.popleft())
            self.flow()

    def _decline_upgrade(self) -> None:
        try:
            self._parser.decline()
        except Problem as problem:
            self._unreadable(problem)

    @property
    def _is_deaf(self) -> bool:
        return self._is_lingering or not (self._takes_more or self._parser.is_in_body)

    def _unreadable(self, problem: Problem) -> None:
        if self._is_deaf:
            return
        self._takes_more = False
        if self._parser.is_in_body:
            self._parser.fail(problem)
        else:
            self._next(problem)

    def _refuse(self, request: Request | None, problem: Problem) -> None:
        self._takes_more = False
        response = self._server.refuse(request, problem)
        assert isinstance(response.body, bytes)
        state = self._state_after(request)
        self._transport.write(framing.whole_response(request, response, response.body, state))
        self._linger()

    def _linger(self) -> None:
        """Say that no more comes, and let the client finish what it is sending."""
        self._takes_more = False
        self._is_lingering = True
        self._waiting.clear()
        if self._transport.is_closing():
            return
        self._transport.write_eof()
        self.flow()
        self._loop.call_later(LINGER_SECONDS, self._transport.abort)

    def _keeps(self, request: Request | None) -> bool:
        return (
            request is not None
            and request.keep_alive
            and not self._server.is_leaving
            and (self._takes_more or bool(self._waiting))
            and (request.body is None or request.body.is_whole)
        )

    def _state_after(self, request: Request | None) -> ConnectionState:
        self._closes = not self._keeps(request)
        return ConnectionState(self._closes, self._server.clock)

    async def _pass_on(self, request: Request, response: Response, body: BodyStream) -> None:
        is_chunked = False
        if body.length is not None:
            response.headers["Content-Length"] = str(body.length)
        elif request.version == "1.1":
            response.headers["Transfer-Encoding"] = framing.CHUNKED
            is_chunked = True
        else:
            request.keep_alive = False  # the end of the connection is the end of the body
        state = self._state_after(request)
        self._transport.write(framing.head_of_response(request, response, state))
        while data := await body.next(response.timeout):
            self._transport.writelines(framing.chunk(data) if is_chunked else (data,))
            await self._until_written()
        if is_chunked:
            self._transport.write(framing.LAST_CHUNK)

    async def _join(self, response: Response, tunnel: Tunnel) -> None:
        response.headers.update({"Connection": "Upgrade", "Upgrade": tunnel.protocol})
        response.headers.popall("Content-Length", None)
        self._transport.write(framing.response_head("1.1", response.status, response.headers))
        try:
            await tunnel.join(self._transport, self._parser.take_held())
        finally:
            self._server.left(self)

    async def _until_written(self) -> None:
        """Until there is room for more.  ConnectionError when the client takes nothing."""
        if self._writable is None:
            return
        try:
            async with asyncio.timeout(self._server.limits().bytes):
                await self._writable
        except TimeoutError as error:
            raise ConnectionError("The client takes nothing any more.") from error
