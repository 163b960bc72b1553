"""The panel's web application: the page, its state, and the events that keep it up to date."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from aiohttp import web

from panel.model.picture import picture
from panel.sources.watch import ShopWatch
from panel.web.events import StateStream

MakeWatch = Callable[[Callable[[], None]], ShopWatch]
STATIC = Path(__file__).resolve().parents[1] / "static"


class PanelServer:
    """Made on the event loop, which `app` does when it starts."""

    def __init__(self, watch_for: MakeWatch) -> None:
        self._watch_for = watch_for
        self.app = web.Application()
        self.app.cleanup_ctx.append(self._run)
        self.app.on_shutdown.append(self._end_streams)
        self.app.add_routes(
            [
                web.get("/", self._page),
                web.get("/api/state", self._state),
                web.get("/api/events", self._events),
                web.static("/static", STATIC),
            ]
        )

    async def _run(self, _: web.Application) -> AsyncIterator[None]:
        self._watch = self._watch_for(lambda: self._stream.change())
        self._stream = StateStream(lambda: picture(self._watch.facts, time.time()))
        tasks = [asyncio.create_task(self._watch.run()), asyncio.create_task(self._stream.run())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _end_streams(self, _: web.Application) -> None:
        await self._stream.end()

    async def _page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _state(self, _: web.Request) -> web.Response:
        self._watch.show_interest()
        return web.Response(body=self._stream.body(), content_type="application/json")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self._watch.show_interest()
        self._watch.viewers += 1
        try:
            return await self._stream.send(request)
        finally:
            self._watch.viewers -= 1
