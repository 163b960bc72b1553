"""Spring Cloud Config's HTTP interface over a repository of files."""

import json
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from config_server import rendering
from config_server.documents import Unreadable
from config_server.repository import Repository, Source

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON, TEXT = "application/json", "text/plain"
V2 = "application/vnd.spring-cloud.config-server.v2+json"
ACCEPTED = {"*/*": JSON, "application/*": JSON, JSON: JSON, "application/*+json": V2, V2: V2}
# The last dash separates: `order-service-native.yml` is order-service under native.
FILE = re.compile(r"(?P<application>.+)-(?P<profile>[^-]+)\.(?P<form>yml|yaml|properties|json)")
FORMS: dict[str, tuple[str, Callable[[rendering.Flat], str]]] = {
    "yml": (TEXT, rendering.to_yaml),
    "yaml": (TEXT, rendering.to_yaml),
    "properties": (TEXT, rendering.to_properties),
    "json": (JSON, rendering.to_json),
}
FORBIDDEN = re.compile(r"\.\.|\\|[\x00-\x1f\x7f]")
ENCODED_SLASH = re.compile(r"%(25)*2f", re.IGNORECASE)


@web.middleware
async def errors_as_boot_tells_them(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        allow = refusal.headers.get("Allow")
        return error(request, refusal.status, headers={"Allow": allow} if allow else {})
    except Unreadable as broken:
        log.error("%s", broken)
        return error(request, 500, message=str(broken))


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
    return _answer(json.dumps(document, separators=(",", ":")), JSON, status, headers)


class ConfigApi:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/{path:.*}", self.find)]

    async def find(self, request: web.Request) -> web.Response:
        steps = _steps(request.rel_url.raw_path)
        file = FILE.fullmatch(steps[-1])
        if file and len(steps) <= 2:
            return self._file(request, **file.groupdict())
        if len(steps) in (2, 3) and all(steps):
            return self._environment(request, *steps)
        raise web.HTTPNotFound

    def _environment(
        self, request: web.Request, application: str, profile: str, label: str | None = None
    ) -> web.Response:
        content_type = _content_type(request.headers.get("Accept", "*/*"))
        if content_type is None:
            return web.Response(status=406)
        sources = self._repository.find(application, profile)
        document = {
            "name": application,
            "profiles": [profile],
            "label": label and label.replace("(_)", "/"),
            "version": None,
            "state": None,
            "propertySources": [_source(source, content_type) for source in sources],
        }
        return _answer(json.dumps(document, separators=(",", ":")), content_type)

    def _file(
        self, request: web.Request, application: str, profile: str, form: str
    ) -> web.Response:
        properties = rendering.merged(self._repository.find(application, profile))
        if request.query.get("resolvePlaceholders", "true").lower() != "false":
            properties = rendering.filled(properties)
        content_type, render = FORMS[form]
        return _answer(render(properties), content_type)


def _steps(raw_path: str) -> list[str]:
    """The segments of the path; what would lead out of the folder is refused."""
    once = unquote(raw_path)
    if ENCODED_SLASH.search(raw_path) or FORBIDDEN.search(once) or FORBIDDEN.search(unquote(once)):
        raise web.HTTPBadRequest
    return once.removeprefix("/").split("/")


def _content_type(accept: str) -> str | None:
    """Which of the two JSON forms, by the caller's order; None when it takes neither."""
    ranges = (each.partition(";")[0].strip().lower() for each in accept.split(","))
    return next((ACCEPTED[each] for each in ranges if each in ACCEPTED), None)


def _source(source: Source, content_type: str) -> dict[str, Any]:
    if content_type == JSON:
        return {"name": source.name, "source": source.plain()}
    values = {
        key: {"value": each.value, "origin": each.origin} for key, each in source.properties.items()
    }
    return {"name": source.name, "source": values}


def _answer(
    text: str, content_type: str, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    # Spring names no charset, and some clients compare the whole header.
    return web.Response(
        body=text.encode(), status=status, headers={"Content-Type": content_type, **(headers or {})}
    )
