"""Spring Cloud Config's HTTP interface over what is served."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote

from aiohttp import web

from chassis.identity.guests import GUEST
from chassis.runtime.aiohttp import PRINCIPAL
from config_server.configurations import Configurations
from config_server.files import render as rendering
from config_server.http.errors import JSON, PLAIN, TEXT, json_response, text_response
from config_server.model import ConfigQuery, ConfigResult, PropertySource, PropertyValue
from config_server.notify import webhooks
from config_server.notify.watch import OnChange

T = TypeVar("T")

V2 = "application/vnd.spring-cloud.config-server.v2+json"
BYTES = "application/octet-stream"
ACCEPTED = {"*/*": JSON, "application/*": JSON, JSON: JSON, "application/*+json": V2, V2: V2}
# The last dash separates: `order-service-native.yml` is order-service under native.
FILE = re.compile(r"(?P<application>.+)-(?P<profile>[^-]+)\.(?P<format>yml|yaml|properties|json)")
FORMATS: dict[str, tuple[str, Callable[[rendering.Properties], str]]] = {
    "yml": (TEXT, rendering.to_yaml),
    "yaml": (TEXT, rendering.to_yaml),
    "properties": (TEXT, rendering.to_properties),
    "json": (JSON, rendering.to_json),
}
PROFILE = re.compile(r"[\w.+@-]+")  # what Spring Boot takes for the name of one
OPEN = {
    "/",
    *(f"/actuator/{page}" for page in ("info", "health", "health/liveness", "health/readiness")),
}
POSTED = {"encrypt", "decrypt", "monitor"}
FORBIDDEN = re.compile(r"\.\.|\\|[\x00-\x1f\x7f]")
ENCODED_SLASH = re.compile(r"%(25)*2f", re.IGNORECASE)
MAX_UNQUOTED = 5
MAX_COMBINATIONS = 1_000  # of applications and profiles: each is a file to look for


class ConfigApi:
    def __init__(self, configurations: Configurations, on_change: OnChange) -> None:
        self._configurations = configurations
        self._on_change = on_change

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/monitor", self.monitor),
            web.get("/{path:.*}", self.find),
        ]

    async def find(self, request: web.Request) -> web.Response:
        segments = _segments(request.rel_url.raw_path)
        if len(segments) == 1 and segments[0] in POSTED:
            raise web.HTTPMethodNotAllowed(request.method, ["POST"])
        file = FILE.fullmatch(segments[-1])
        if file and len(segments) <= 2:
            query = _query(file["application"], file["profile"], *segments[:-1])
            return await self._rendered(request, query, file["format"])
        if len(segments) < 2 or not all(segments):
            raise web.HTTPNotFound
        return await self._environment_or_file(request, *segments)

    async def _environment_or_file(
        self, request: web.Request, application: str, profile: str, *rest: str
    ) -> web.Response:
        if rest and "useDefaultLabel" in request.query:
            return await self._plain(request, _query(application, profile), "/".join(rest))
        query = _query(application, profile, *rest[:1])
        if len(rest) > 1:
            return await self._plain(request, query, "/".join(rest[1:]))
        return await self._environment(request, query)

    async def _environment(self, request: web.Request, query: ConfigQuery) -> web.Response:
        content_type = _content_type(request.headers.get("Accept", "*/*"))
        if content_type is None:
            return web.Response(status=406)
        result = await _run_in_thread(self._configurations.find, query)
        document = _document(query, result, content_type)
        if request.get(PRINCIPAL, GUEST) != GUEST:
            # A process of the shop shows its configuration, and has to know what not to show.
            for shown, source in zip(document["propertySources"], result.sources, strict=True):
                shown["encrypted"] = source.decrypted()
        return json_response(document, content_type=content_type)

    async def _rendered(
        self, request: web.Request, query: ConfigQuery, format_: str
    ) -> web.Response:
        content_type, render = FORMATS[format_]
        resolves = _resolves(request)

        def rendered() -> str:
            return render(self._configurations.merged(query, resolves))

        return text_response(await _run_in_thread(rendered), content_type)

    async def _plain(self, request: web.Request, query: ConfigQuery, path: str) -> web.Response:
        if request.headers.get("Accept") == BYTES:
            content = await _run_in_thread(self._configurations.file, query, path)
            if content is not None:
                return web.Response(body=content, content_type=BYTES)
        else:
            resolves = _resolves(request)
            text = await _run_in_thread(self._configurations.text, query, path, resolves)
            if text is not None:
                return text_response(text, PLAIN)
        return web.Response(status=404)

    async def monitor(self, request: web.Request) -> web.Response:
        paths = await _changed_paths(request)
        services = webhooks.guess_services(paths)
        if services:
            await _run_in_thread(self._configurations.backend.refresh, True)
            await _run_in_thread(self._on_change, webhooks.applications_of(services))
        return json_response(services)


def is_open(request: web.Request) -> bool:
    """The page that explains, and whether this server is well; all else may hold secrets."""
    path = request.rel_url.raw_path
    return request.method in ("GET", "HEAD") and path in OPEN


def template_of(request: web.Request) -> str | None:
    """Spring's name for what is asked for at an address of its own choice; None for all others."""
    if "path" not in request.match_info:
        return None
    try:
        segments = _segments(request.rel_url.raw_path)
    except web.HTTPBadRequest:
        return "unknown"
    file = FILE.fullmatch(segments[-1])
    if file and len(segments) <= 2:
        label = "/{label}" if len(segments) == 2 else ""
        return f"{label}/{{name}}-{{profiles}}.{file['format']}"
    if "useDefaultLabel" in request.query and len(segments) > 2:
        return "/{name}/{profiles}/{path}"
    known = ("/{name}", "/{profiles}", "/{label}", "/{path}")
    return "".join(known[: len(segments)]) if len(segments) > 1 and all(segments) else "unknown"


async def _run_in_thread(function: Callable[..., T], *arguments: Any) -> T:
    # Files, git and databases are never read on the event loop.
    return await asyncio.to_thread(partial(function, *arguments))


async def _changed_paths(request: web.Request) -> list[str]:
    if request.content_type == "application/x-www-form-urlencoded":
        paths = [path for path in (await request.post()).getall("path", []) if path]
        if not paths:
            raise web.HTTPBadRequest
        return [path for path in paths if isinstance(path, str)]
    try:
        document = webhooks.parse(await request.read())
    except webhooks.MalformedNotification as error:
        raise web.HTTPBadRequest from error
    return webhooks.changed_paths(request.headers, document)


def _segments(raw_path: str) -> list[str]:
    """The segments of the path; one that leads out of the folder is rejected."""
    plain = once = unquote(raw_path)
    forbidden = ENCODED_SLASH.search(raw_path) or FORBIDDEN.search(once)
    # However often it is encoded.
    for _ in range(MAX_UNQUOTED):
        plain = unquote(plain)
        forbidden = forbidden or FORBIDDEN.search(plain)
    segments = once.removeprefix("/").split("/")
    if forbidden or "." in segments:
        raise web.HTTPBadRequest
    return segments


def _query(application: str, profile: str, label: str | None = None) -> ConfigQuery:
    query = ConfigQuery(_normalized(application), profile, label and _normalized(label))
    if not all(PROFILE.fullmatch(name) for name in query.profiles):
        raise web.HTTPBadRequest
    if len(query.applications) * len(query.profiles) > MAX_COMBINATIONS:
        raise web.HTTPBadRequest
    return query


def _normalized(name: str) -> str:
    return name.replace("(_)", "/")  # which no segment of an address can hold


def _resolves(request: web.Request) -> bool:
    return request.query.get("resolvePlaceholders", "true").lower() != "false"


def _content_type(accept: str) -> str | None:
    """Which of the two JSON forms, in the order of Accept; None when it allows neither."""
    ranges = (media_range.partition(";")[0].strip().lower() for media_range in accept.split(","))
    return next((ACCEPTED[name] for name in ranges if name in ACCEPTED), None)


def _document(query: ConfigQuery, result: ConfigResult, content_type: str) -> dict[str, Any]:
    return {
        "name": query.application,
        "profiles": [query.profile],
        "label": query.label,
        "version": result.version,
        "state": None,
        "propertySources": [_source(source, content_type) for source in result.sources],
    }


def _source(source: PropertySource, content_type: str) -> dict[str, Any]:
    if content_type == JSON:
        plain = {key: rendering.json_value(value) for key, value in source.plain().items()}
        return {"name": source.name, "source": plain}
    values = {key: _value(value) for key, value in source.properties.items()}
    return {"name": source.name, "source": values}


def _value(value: PropertyValue) -> Any:
    plain = rendering.json_value(value.value)
    return {"value": plain, "origin": value.origin} if value.origin else plain
