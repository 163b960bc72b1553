"""aiohttp's low-level server, with its own errors in the contract's form too."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import BadHttpMessage, LineTooLong

from chassis.errors import BadRequest, HeadersTooLarge, Problem, TargetTooLong

log = logging.getLogger(__name__)

# gunicorn takes lines of up to 8190 bytes, method and version included.  Unlike any limit of a
# header, too: the parser tells which line was too long only by its limit.
LONGEST_TARGET = 8001
MOST_HEADERS = 128
# A client that is refused may still be sending; so long is it listened to.
LINGER_SECONDS = 2.0

Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Refuse = Callable[[web.BaseRequest, Problem], web.Response]


class Door(web.Server):
    """Calls `handle` for a request, and `refuse` for what is none or when `handle` has broken."""

    def __init__(self, handle: Handle, refuse: Refuse, max_header_bytes: int, **given: Any) -> None:
        # Its end, when the client has gone, ends the upstream call.
        super().__init__(handle, handler_cancellation=True)
        self._refuse = refuse
        self._given = {
            "max_line_size": LONGEST_TARGET,
            "max_field_size": max_header_bytes,
            "max_headers": MOST_HEADERS,
            "lingering_time": LINGER_SECONDS,
            "auto_decompress": False,
            "access_log": None,
            **given,
        }

    def __call__(self) -> web.RequestHandler:
        loop = asyncio.get_running_loop()
        return _Connection(self, self._refuse, loop=loop, **self._given)


class _Connection(web.RequestHandler):
    def __init__(self, door: Door, refuse: Refuse, **given: Any) -> None:
        super().__init__(door, **given)
        self._refuse = refuse

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        """Called by aiohttp for what it cannot parse, and for an exception of `handle`."""
        if request.writer.output_size > 0:
            log.warning("an answer broke off half-way: %s", type(exc).__name__)
            raise ConnectionError("Half an answer has been sent: nothing else can be.")
        problem = _problem(exc)
        if type(problem) is Problem:
            log.error("an error that nobody expected, at %s", request.path, exc_info=exc)
        response = self._refuse(request, problem)
        response.force_close()
        return response


def _problem(error: BaseException | None) -> Problem:
    if not isinstance(error, BadHttpMessage):
        return Problem("Something broke here; it is in the log under this trace id.")
    if isinstance(error, LineTooLong) and error.args[1] == LONGEST_TARGET:
        return TargetTooLong(f"The address is longer than {LONGEST_TARGET} bytes.")
    if isinstance(error, LineTooLong):
        return HeadersTooLarge(f"A header is longer than {error.args[1]} bytes.")
    if error.message.startswith("Too many headers"):
        return HeadersTooLarge(f"There are more than {MOST_HEADERS} headers.")
    return BadRequest("This is not a request that HTTP/1.1 knows.")
