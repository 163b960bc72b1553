"""The client's body: a short one is taken whole, a long one passes chunk by chunk."""

import asyncio
from collections.abc import Awaitable, Callable

from chassis.core.errors import NotSentInTime, TooLarge
from gateway.http.body_stream import BodyStream
from gateway.http.upstream_connection import SHORT
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.settings import GatewayLimits

# In bytes a second.  A client that dribbles would hold a connection of a service for hours.
SLOWEST = 4096
LATE = "The body did not come in time."


class Upload:
    """A long body: the next chunk is taken when the last one is on its way."""

    def __init__(self, body: BodyStream, limit: int, timeout: float) -> None:
        self.length = body.length
        self._body = body
        self._limit = limit
        self._timeout = timeout
        self._passed = 0
        self._waited = 0.0
        self._clock = asyncio.get_running_loop().time

    async def next(self) -> bytes:
        """Raises TooLarge, NotSentInTime, and BadRequest when the framing is wrong."""
        began = self._clock()
        try:
            chunk = await self._body.next(self._timeout)
        except TimeoutError as error:
            raise NotSentInTime(LATE) from error
        self._passed += len(chunk)
        # Without the time that the service took.
        self._waited += self._clock() - began
        if self._passed > self._limit:
            raise too_large(self._limit)
        if self._waited > self._timeout + self._passed / SLOWEST:
            raise NotSentInTime(LATE)
        return chunk


class RequestBodyFilter:
    def __init__(self, limits: Callable[[], GatewayLimits]) -> None:
        self._limits = limits

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        body = exchange.request.body
        return proceed(exchange) if body is None else self._with_body(body, exchange, proceed)

    async def _with_body(
        self, body: BodyStream, exchange: Exchange, proceed: Handler
    ) -> GatewayResponse:
        limits = self._limits()
        longest = exchange.route.max_body_bytes or limits.max_body_bytes
        exchange.body = await take(body, longest, limits.body_timeout_seconds)
        return await proceed(exchange)


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is longer than {limit} bytes.")


async def take(body: BodyStream, limit: int, timeout: float) -> bytes | Upload:
    """The client's body, whole when it is short.  Raises as `Upload.next` does."""
    if body.length is not None and body.length > limit:
        raise too_large(limit)
    if body.is_whole and not body.is_full:
        return _within(body.taken(), limit)
    if body.length is None or body.length > SHORT:
        return Upload(body, limit, timeout)
    return await whole(body, limit, timeout)


async def whole(body: BodyStream, limit: int, timeout: float) -> bytes:
    """All of it, within `timeout` seconds.  Raises as `Upload.next` does."""
    taken = b""
    try:
        async with asyncio.timeout(timeout):
            while chunk := await body.next(None):
                taken = _within(taken + chunk, limit)
    except TimeoutError as error:
        raise NotSentInTime(LATE) from error
    return taken


def _within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise too_large(limit)
    return body
