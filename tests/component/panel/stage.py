"""Serves the page as the panel does, with whatever state of a shop a test wishes to show."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

import panel
from panel.web import security_headers

from .snapshots import Snapshot, healthy

STATIC = Path(panel.__file__).parent / "static"
PASSWORD = "the admin's"
POLL_SECONDS = 0.05


class Stage:
    """What is shown is set from the test's thread, and sent from that of the server."""

    def __init__(self) -> None:
        self.snapshot: Snapshot = healthy()
        self.hands_are_on = True
        self.is_signed_in = False
        self.is_silent = False
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.life: dict[str, Any] = {}
        self._loop = asyncio.new_event_loop()
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/"

    def come(self) -> None:
        """Also after it has gone: to the port that it had."""
        asyncio.run_coroutine_threadsafe(self._come(), self._loop).result(10)

    def go(self) -> None:
        asyncio.run_coroutine_threadsafe(self._go(), self._loop).result(10)

    def run(self) -> None:
        self._loop.run_forever()
        self._loop.close()

    def end(self) -> None:
        self.go()
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _come(self) -> None:
        self._runner = web.AppRunner(self._app(), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def _go(self) -> None:
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application()
        app.on_response_prepare.append(security_headers.add)
        app.add_routes(
            [
                web.get("/", self._page),
                web.get("/login", self._page),
                web.get("/api/events", self._events),
                web.get("/api/session", self._session),
                web.post("/api/session", self._sign_in),
                web.delete("/api/session", self._sign_out),
                web.post("/api/hands/{verb}", self._hand),
                web.get("/api/orders/{order_id}", self._order),
                web.static("/static", STATIC),
            ]
        )
        return app

    async def _page(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        sent = ""
        while self._runner is not None:
            state = json.dumps(self.snapshot)
            if state != sent and not self.is_silent:
                await response.write(f"event: state\ndata: {state}\n\n".encode())
                sent = state
            await asyncio.sleep(POLL_SECONDS)
        return response

    async def _session(self, _: web.Request) -> web.Response:
        while self.is_silent:
            await asyncio.sleep(POLL_SECONDS)
        token = "token" if self.is_signed_in else None
        return web.json_response(
            {"hands": self.hands_are_on, "signedIn": self.is_signed_in, "csrf": token}
        )

    async def _sign_in(self, request: web.Request) -> web.Response:
        if (await request.json())["password"] != PASSWORD:
            return web.json_response({"detail": "The password is wrong."}, status=401)
        self.is_signed_in = True
        return web.json_response({"csrf": "token"})

    async def _sign_out(self, _: web.Request) -> web.Response:
        self.is_signed_in = False
        return web.Response(status=204)

    async def _hand(self, request: web.Request) -> web.Response:
        if request.headers.get("X-CSRF-Token") != "token" or not self.is_signed_in:
            return web.json_response({"detail": "Sign in first."}, status=401)
        self.asked.append((request.match_info["verb"], await request.json()))
        return web.json_response({"command": "make …", "job": "1"}, status=202)

    async def _order(self, _: web.Request) -> web.Response:
        return web.json_response(self.life, status=200 if self.life else 404)


@contextmanager
def opened_stage() -> Iterator[Stage]:
    stage = Stage()
    thread = threading.Thread(target=stage.run, daemon=True)
    thread.start()
    stage.come()
    try:
        yield stage
    finally:
        stage.is_silent = False
        stage.end()
        thread.join(10)
