"""Answers and errors in the shapes of Spring's server."""

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web

from config_server.model import Away, UnknownLabel, Unreadable

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON, TEXT, PLAIN = "application/json", "text/plain", "text/plain;charset=UTF-8"


@web.middleware
async def errors_as_boot_tells_them(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        allow = refusal.headers.get("Allow")
        return error(request, refusal.status, headers={"Allow": allow} if allow else {})
    except UnknownLabel as unknown:
        return error(request, 404, message=str(unknown))
    except Unreadable as broken:
        log.error("%s", broken)
        return error(request, 500, message=str(broken))
    except Away as away:
        log.error("%s", away)
        return error(request, 503, message=str(away))


def error(
    request: web.Request, status: int, headers: dict[str, str] | None = None, **members: str
) -> web.Response:
    document = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "status": status,
        "error": HTTPStatus(status).phrase,
        **members,
        "path": request.path,
    }
    return told(document, status, headers=headers)


def told(
    document: Any,
    status: int = 200,
    content_type: str = JSON,
    headers: dict[str, str] | None = None,
) -> web.Response:
    text = json.dumps(document, separators=(",", ":"))
    return answer(text, content_type, status, headers)


def answer(
    text: str, content_type: str, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    # Spring names a charset for some and not for others, and some clients compare the whole header.
    return web.Response(
        body=text.encode(errors="replace"),
        status=status,
        headers={"Content-Type": content_type, **(headers or {})},
    )
