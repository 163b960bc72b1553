"""Responses and errors in the format of Spring's server."""

import json
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from aiohttp import web

from config_server.model import BackendUnavailable, UnknownLabel, UnreadableFile

log = logging.getLogger(__name__)

PASSED = ("Allow", "WWW-Authenticate", "Retry-After")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON, TEXT, PLAIN = "application/json", "text/plain", "text/plain;charset=UTF-8"


@web.middleware
async def errors_as_spring_boot(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refused:
        passed = {name: refused.headers[name] for name in PASSED if name in refused.headers}
        return error(request, refused.status, headers=passed)
    except UnknownLabel as unknown:
        return error(request, 404, message=str(unknown))
    except UnreadableFile as broken:
        log.error("%s", broken)
        return error(request, 500, message=str(broken))
    except BackendUnavailable as unavailable:
        log.error("%s", unavailable)
        return error(request, 503, message=str(unavailable))


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
    return json_response(document, status, headers=headers)


def json_response(
    document: Any,
    status: int = 200,
    content_type: str = JSON,
    headers: dict[str, str] | None = None,
) -> web.Response:
    text = json.dumps(document, separators=(",", ":"))
    return text_response(text, content_type, status, headers)


def text_response(
    text: str, content_type: str, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    # Spring names a charset for some and not for others, and some clients compare the whole header.
    return web.Response(
        body=text.encode(errors="replace"),
        status=status,
        headers={"Content-Type": content_type, **(headers or {})},
    )
