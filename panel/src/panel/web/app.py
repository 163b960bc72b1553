"""The panel's web application: the page, its state, and the events that keep it up to date."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from chassis.core.errors import NotFound
from panel.commands.desk import CommandDesk
from panel.commands.jobs import JobRunner
from panel.commands.lessons import Lessons
from panel.model.picture import order_life, picture
from panel.sources.watch import ShopWatch
from panel.web import security_headers
from panel.web.events import StateStream
from panel.web.hands import HandsApi
from panel.web.origin import Authorities, refuse_foreign
from panel.web.problems import answer_problems
from panel.web.session import AdminSession

MakeWatch = Callable[[Callable[[], None]], ShopWatch]
STATIC = Path(__file__).resolve().parents[1] / "static"
MOST_BYTES = 16 * 1024


class PanelServer:
    """`make_watch` is given whom to tell of changes; `environment` is that of the verbs."""

    def __init__(
        self,
        make_watch: MakeWatch,
        session: AdminSession,
        allowed: Authorities,
        hands_are_on: Callable[[], bool],
        environment: Mapping[str, str],
    ) -> None:
        self.app = web.Application(
            middlewares=[answer_problems, refuse_foreign(allowed)], client_max_size=MOST_BYTES
        )
        self._stream = StateStream(self._document)
        self._watch = make_watch(self._stream.change)
        self._jobs = JobRunner(self._stream.change, self._watch.hasten, environment)
        self._lessons = Lessons(self._jobs, self._stream.tell_lesson)
        hands = HandsApi(session, CommandDesk(self._jobs, self._lessons), hands_are_on)
        self.app.cleanup_ctx.append(self._run)
        self.app.on_shutdown.append(self._end)
        self.app.on_response_prepare.append(security_headers.add)
        self.app.add_routes(
            [
                web.get("/", self._page),
                web.get("/login", self._page),
                web.get("/api/state", self._state),
                web.get("/api/events", self._events),
                web.get("/api/orders/{order_id}", self._order),
                web.get("/api/session", hands.show_session),
                web.post("/api/session", hands.sign_in),
                web.delete("/api/session", hands.sign_out),
                web.post("/api/hands/{verb}", hands.do),
                web.static("/static", STATIC),
            ]
        )

    def _document(self) -> dict[str, Any]:
        document = picture(self._watch.facts, time.time())
        self._watch.history.compare(document)
        return {
            **document,
            "history": list(self._watch.history.events),
            "lesson": self._lessons.document(),
            "jobs": self._jobs.documents(),
        }

    async def _run(self, _: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._watch.run()), asyncio.create_task(self._stream.run())]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _end(self, _: web.Application) -> None:
        await self._stream.end()
        await self._jobs.close()

    async def _page(self, request: web.Request) -> web.FileResponse:
        own = STATIC / f"{request.path.strip('/') or 'index'}.html"
        return web.FileResponse(own if own.exists() else STATIC / "index.html")

    async def _state(self, _: web.Request) -> web.Response:
        self._watch.show_interest()
        return web.Response(body=self._stream.body(), content_type="application/json")

    async def _order(self, request: web.Request) -> web.Response:
        """Of the last orders: who is older is in the services' own records."""
        facts = self._watch.facts
        entry = facts.orders.entries.get(request.match_info["order_id"])
        if entry is None:
            raise NotFound("It is none of the last orders.", code="order-unknown")
        return web.json_response(order_life(facts, entry))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        self._watch.show_interest()
        self._watch.viewers += 1
        try:
            return await self._stream.send(request)
        finally:
            self._watch.viewers -= 1
            self._watch.show_interest()
