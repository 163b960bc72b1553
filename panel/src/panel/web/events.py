"""Server-sent events: the whole state to whoever looks on, at most twice a second."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiohttp import web

KEEP_ALIVE_SECONDS = 15.0
LEAST_SECONDS = 0.5
# So often a page hears of a shop in which nothing changes: it shows how old its figures are.
LONGEST_SECONDS = 5.0
# Figures of the last seconds change while nothing happens.
AGING_SECONDS = 2.5
# A page that is so far behind takes nothing any more.
MOST_WAITING = 64
SEND_SECONDS = 10.0
HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
# What differs in each document, and is no news.
RESTLESS = ("at", "age")

Event = tuple[str, bytes]


class StateStream:
    """`document` makes the state anew; all who look on get the same bytes."""

    def __init__(self, document: Callable[[], dict[str, Any]]) -> None:
        self._document = document
        self._changed = asyncio.Event()
        self._viewers: set[asyncio.Queue[Event | None]] = set()
        self._sent: dict[str, Any] = {}
        self._sent_at = 0.0

    def change(self) -> None:
        self._changed.set()

    def tell_lesson(self, line: dict[str, Any]) -> None:
        self._pass_on(("lesson", _encoded(line)))
        self.change()

    def body(self) -> bytes:
        return _encoded(self._document())

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                pause = AGING_SECONDS if self._viewers else None
                await asyncio.wait_for(self._changed.wait(), pause)
            self._changed.clear()
            document = self._document()
            if not self._viewers:
                continue
            news = {name: value for name, value in document.items() if name not in RESTLESS}
            if news != self._sent or loop.time() > self._sent_at + LONGEST_SECONDS:
                self._sent, self._sent_at = news, loop.time()
                self._pass_on(("state", _encoded(document)))
                await asyncio.sleep(LEAST_SECONDS)

    async def end(self) -> None:
        for viewer in self._viewers:
            while not viewer.empty():
                viewer.get_nowait()
            viewer.put_nowait(None)

    def _pass_on(self, event: Event) -> None:
        for viewer in list(self._viewers):
            # A state takes the place of an older one that was not sent yet.
            if viewer.full():
                self._viewers.discard(viewer)
                viewer.get_nowait()
                viewer.put_nowait(None)
            else:
                viewer.put_nowait(event)

    async def send(self, request: web.Request) -> web.StreamResponse:
        """Until the page goes, or the panel ends."""
        response = web.StreamResponse(headers=HEADERS)
        await response.prepare(request)
        viewer: asyncio.Queue[Event | None] = asyncio.Queue(MOST_WAITING)
        self._viewers.add(viewer)
        self.change()
        try:
            await _write(response, b"retry: 1000\n\n" + _framed(("state", self.body())))
            while (event := await _next(viewer)) is not None:
                await _write(response, _framed(event) if event else b": keep-alive\n\n")
        except (ConnectionError, TimeoutError):
            pass  # the page has gone, or stands still
        finally:
            self._viewers.discard(viewer)
        return response


async def _next(viewer: asyncio.Queue[Event | None]) -> Event | tuple[()] | None:
    """The next event, of several states the last; empty when it is time for a sign of life."""
    try:
        event = await asyncio.wait_for(viewer.get(), KEEP_ALIVE_SECONDS)
    except TimeoutError:
        return ()
    while event is not None and event[0] == "state" and not viewer.empty():
        event = viewer.get_nowait()
    return event


async def _write(response: web.StreamResponse, content: bytes) -> None:
    """A page that does not read holds nobody up for ever."""
    async with asyncio.timeout(SEND_SECONDS):
        await response.write(content)


def _encoded(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _framed(event: Event) -> bytes:
    name, data = event
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
