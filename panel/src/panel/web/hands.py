"""Signing in, and the verbs that a page may ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from chassis.core import strict_json
from chassis.core.errors import Forbidden, Invalid, UnsupportedMedia
from panel.commands.desk import CommandDesk
from panel.commands.verbs import parse
from panel.web.session import COOKIE, LIFETIME_SECONDS, AdminSession


class HandsApi:
    """`are_on` says whether the configuration lets pages act at all."""

    def __init__(
        self, session: AdminSession, desk: CommandDesk, are_on: Callable[[], bool]
    ) -> None:
        self._session = session
        self._desk = desk
        self._are_on = are_on

    async def show_session(self, request: web.Request) -> web.Response:
        token = self._session.csrf_token(request.cookies.get(COOKIE))
        return web.json_response(
            {"hands": self._are_on(), "signedIn": token is not None, "csrf": token}
        )

    async def sign_in(self, request: web.Request) -> web.Response:
        body = await _body(request)
        password = body.get("password")
        if not isinstance(password, str) or set(body) != {"password"}:
            raise Invalid('Send {"password": "…"}, the admin\'s.')
        cookie = self._session.begin(password)
        response = web.json_response({"csrf": self._session.csrf_token(cookie)})
        response.set_cookie(
            COOKIE, cookie, max_age=LIFETIME_SECONDS, path="/", httponly=True, samesite="Strict"
        )
        return response

    async def sign_out(self, request: web.Request) -> web.Response:
        """Without a session it is done already."""
        if self._session.csrf_token(request.cookies.get(COOKIE)) is not None:
            self._require(request)
        response = web.Response(status=204)
        response.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
        return response

    async def do(self, request: web.Request) -> web.Response:
        if not self._are_on():
            raise Forbidden(
                "This panel only shows: fusebox.panel.hands is not true in its configuration.",
                code="hands-off",
            )
        self._require(request)
        command, job = self._desk.do(parse(request.match_info["verb"], await _body(request)))
        return web.json_response({"command": command, "job": job}, status=202)

    def _require(self, request: web.Request) -> None:
        self._session.require(request.cookies.get(COOKIE), request.headers.get("X-CSRF-Token"))


async def _body(request: web.Request) -> dict[str, Any]:
    """A form of another page cannot send this type without asking first (CORS)."""
    if request.content_type != "application/json":
        raise UnsupportedMedia("Send application/json.")
    document = strict_json.loads(await request.read() or b"{}")
    if not isinstance(document, dict):
        raise Invalid("Send a JSON object.")
    return document
