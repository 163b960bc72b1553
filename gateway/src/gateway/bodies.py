"""Bodies on their way: short ones are taken whole, long ones pass chunk by chunk."""

import asyncio

from aiohttp import ClientError, ClientResponse, Payload, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_protocol import RequestPayloadError

from chassis.errors import BadRequest, NotSentInTime, Problem, TooLarge

# What is whole can be sent again, goes out in one write, and its sender holds nobody else up.
SHORT = 65_536
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Upload(Payload):
    """A client's long body: the next chunk is read when the last one is on its way.

    aiohttp's client hides what goes wrong in here behind an error of its own, so `failure` keeps
    it when it is not the called service's fault.
    """

    _autoclose = True

    def __init__(self, request: web.BaseRequest, limit: int, patience: float) -> None:
        super().__init__(request)
        self._content = request.content
        self._limit = limit
        self._patience = patience
        self.failure: Problem | None = None

    def decode(self, *_how: str, **_more: str) -> str:
        raise TypeError("a body that is passed on has no text")

    async def write(self, writer: AbstractStreamWriter) -> None:
        self._consumed = True
        passed = 0
        while chunk := await self._next():
            passed += len(chunk)
            if passed > self._limit:
                self.failure = too_large(self._limit)
                raise self.failure
            async with asyncio.timeout(self._patience):
                await writer.write(chunk)

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._patience):
                return await self._content.readany()
        except TimeoutError as error:
            self.failure = NotSentInTime("The body did not come in time.")
            raise self.failure from error
        except RequestPayloadError as error:
            self.failure = BadRequest("The body is not framed as its headers say.")
            raise self.failure from error


def too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is longer than {limit} bytes.")


async def take(request: web.BaseRequest, limit: int, patience: float) -> bytes | Upload | None:
    """The client's body, whole when it is short.  Raises TooLarge and BadRequest."""
    if not request.body_exists:
        return None
    length = request.content_length
    if length is not None and length > limit:
        raise too_large(limit)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(CONTINUE)
        request.writer.output_size = 0  # the answer is still to come
    if length is None or length > SHORT:
        return Upload(request, limit, patience)
    return await _whole(request, patience)


async def _whole(request: web.BaseRequest, patience: float) -> bytes:
    try:
        if request.content.is_eof():
            return await request.content.read()
        async with asyncio.timeout(patience):
            return await request.content.read()
    except TimeoutError as error:
        raise NotSentInTime("The body did not come in time.") from error
    except RequestPayloadError as error:
        raise BadRequest("The body is not framed as its headers say.") from error


def is_short(answer: ClientResponse) -> bool:
    return answer.content.is_eof() or 0 <= (answer.content_length or -1) <= SHORT


async def pass_on(
    answer: ClientResponse, request: web.BaseRequest, response: web.StreamResponse
) -> None:
    """Stream a long answer.  What breaks after its first byte can only be shown by breaking off."""
    await response.prepare(request)
    try:
        while chunk := await answer.content.readany():
            await response.write(chunk)
    except (ClientError, TimeoutError) as error:
        raise ConnectionError("The answer broke off half-way.") from error
    await response.write_eof()
