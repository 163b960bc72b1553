"""Server-sent events: the whole state to whoever looks on, at most twice a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from aiohttp import web

KEEP_ALIVE_SECONDS = 15.0
LEAST_SECONDS = 0.5
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


class StateStream:
    """`document` makes the state anew; all who look on get the same bytes."""

    def __init__(self, document: Callable[[], dict[str, Any]]) -> None:
        self._document = document
        self._changed = asyncio.Event()
        self._version = 0
        self._bytes = b""
        self._published = asyncio.Condition()
        self.is_over = False

    def change(self) -> None:
        self._changed.set()

    def body(self) -> bytes:
        return json.dumps(self._document(), ensure_ascii=False).encode()

    async def run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._bytes, self._version = self.body(), self._version + 1
            await self._wake()
            await asyncio.sleep(LEAST_SECONDS)

    async def end(self) -> None:
        self.is_over = True
        await self._wake()

    def _is_newer_than(self, version: int) -> bool:
        return self._version != version or self.is_over

    async def _wake(self) -> None:
        async with self._published:
            self._published.notify_all()

    async def send(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        await response.write(b"retry: 1000\n\n" + _event("state", self._bytes or self.body()))
        version = self._version
        while not self.is_over:
            try:
                async with asyncio.timeout(KEEP_ALIVE_SECONDS), self._published:
                    await self._published.wait_for(partial(self._is_newer_than, version))
            except TimeoutError:
                await response.write(b": keep-alive\n\n")
                continue
            version = self._version
            await response.write(_event("state", self._bytes))
        return response


def _event(name: str, data: bytes) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
