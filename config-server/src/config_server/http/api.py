"""Spring Cloud Config's HTTP interface over what is served."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote

from aiohttp import web

from config_server.configurations import Configurations
from config_server.files import render as rendering
from config_server.http.errors import JSON, PLAIN, TEXT, answer, told
from config_server.model import Found, Question, Source, Value
from config_server.notify import webhooks as monitor
from config_server.notify.watch import Changed

T = TypeVar("T")

V2 = "application/vnd.spring-cloud.config-server.v2+json"
BYTES = "application/octet-stream"
ACCEPTED = {"*/*": JSON, "application/*": JSON, JSON: JSON, "application/*+json": V2, V2: V2}
# The last dash separates: `order-service-native.yml` is order-service under native.
FILE = re.compile(r"(?P<application>.+)-(?P<profile>[^-]+)\.(?P<form>yml|yaml|properties|json)")
FORMS: dict[str, tuple[str, Callable[[rendering.Flat], str]]] = {
    "yml": (TEXT, rendering.to_yaml),
    "yaml": (TEXT, rendering.to_yaml),
    "properties": (TEXT, rendering.to_properties),
    "json": (JSON, rendering.to_json),
}
POSTED = {"encrypt", "decrypt", "monitor"}
FORBIDDEN = re.compile(r"\.\.|\\|[\x00-\x1f\x7f]")
ENCODED_SLASH = re.compile(r"%(25)*2f", re.IGNORECASE)
MAX_UNQUOTED = 5
MAX_COMBINATIONS = 1_000  # of applications and profiles: each is a file to look for


class ConfigApi:
    def __init__(self, configurations: Configurations, changed: Changed) -> None:
        self._configurations = configurations
        self._changed = changed

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/monitor", self.monitor), web.get("/{path:.*}", self.find)]

    async def find(self, request: web.Request) -> web.Response:
        steps = _steps(request.rel_url.raw_path)
        if len(steps) == 1 and steps[0] in POSTED:
            raise web.HTTPMethodNotAllowed(request.method, ["POST"])
        file = FILE.fullmatch(steps[-1])
        if file and len(steps) <= 2:
            question = _question(file["application"], file["profile"], *steps[:-1])
            return await self._rendered(request, question, file["form"])
        if len(steps) < 2 or not all(steps):
            raise web.HTTPNotFound
        return await self._beneath(request, *steps)

    async def _beneath(
        self, request: web.Request, application: str, profile: str, *rest: str
    ) -> web.Response:
        if rest and "useDefaultLabel" in request.query:
            return await self._plain(request, _question(application, profile), "/".join(rest))
        question = _question(application, profile, *rest[:1])
        if len(rest) > 1:
            return await self._plain(request, question, "/".join(rest[1:]))
        return await self._environment(request, question)

    async def _environment(self, request: web.Request, question: Question) -> web.Response:
        content_type = _content_type(request.headers.get("Accept", "*/*"))
        if content_type is None:
            return web.Response(status=406)
        found = await _aside(self._configurations.find, question)
        return told(_document(question, found, content_type), content_type=content_type)

    async def _rendered(self, request: web.Request, question: Question, form: str) -> web.Response:
        content_type, render = FORMS[form]
        resolves = _resolves(request)

        def rendered() -> str:
            return render(self._configurations.merged(question, resolves))

        return answer(await _aside(rendered), content_type)

    async def _plain(self, request: web.Request, question: Question, path: str) -> web.Response:
        if request.headers.get("Accept") == BYTES:
            content = await _aside(self._configurations.file, question, path)
            if content is not None:
                return web.Response(body=content, content_type=BYTES)
        else:
            resolves = _resolves(request)
            text = await _aside(self._configurations.text, question, path, resolves)
            if text is not None:
                return answer(text, PLAIN)
        return web.Response(status=404)

    async def monitor(self, request: web.Request) -> web.Response:
        paths = await _changed_paths(request)
        guesses = monitor.services(paths)
        if guesses:
            await _aside(self._configurations.backend.renew, True)
            await _aside(self._changed, monitor.applications(guesses))
        return told(guesses)


async def _aside(function: Callable[..., T], *arguments: Any) -> T:
    # Files, git and tables are never read on the event loop.
    return await asyncio.to_thread(partial(function, *arguments))


async def _changed_paths(request: web.Request) -> list[str]:
    if request.content_type == "application/x-www-form-urlencoded":
        paths = [each for each in (await request.post()).getall("path", []) if each]
        if not paths:
            raise web.HTTPBadRequest
        return [each for each in paths if isinstance(each, str)]
    try:
        document = monitor.parsed(await request.read())
    except monitor.NotUnderstood as error:
        raise web.HTTPBadRequest from error
    return monitor.changed_paths(request.headers, document)


def _steps(raw_path: str) -> list[str]:
    """The segments of the path; what would lead out of the folder is refused."""
    plain = once = unquote(raw_path)
    forbidden = ENCODED_SLASH.search(raw_path) or FORBIDDEN.search(once)
    # However often it is encoded.
    for _ in range(MAX_UNQUOTED):
        plain = unquote(plain)
        forbidden = forbidden or FORBIDDEN.search(plain)
    steps = once.removeprefix("/").split("/")
    if forbidden or "." in steps:
        raise web.HTTPBadRequest
    return steps


def _question(application: str, profile: str, label: str | None = None) -> Question:
    question = Question(application, profile, label and label.replace("(_)", "/"))
    if len(question.applications) * len(question.profiles) > MAX_COMBINATIONS:
        raise web.HTTPBadRequest
    return question


def _resolves(request: web.Request) -> bool:
    return request.query.get("resolvePlaceholders", "true").lower() != "false"


def _content_type(accept: str) -> str | None:
    """Which of the two JSON forms, by the caller's order; None when it takes neither."""
    ranges = (each.partition(";")[0].strip().lower() for each in accept.split(","))
    return next((ACCEPTED[each] for each in ranges if each in ACCEPTED), None)


def _document(question: Question, found: Found, content_type: str) -> dict[str, Any]:
    return {
        "name": question.application,
        "profiles": [question.profile],
        "label": question.label,
        "version": found.version,
        "state": None,
        "propertySources": [_source(source, content_type) for source in found.sources],
    }


def _source(source: Source, content_type: str) -> dict[str, Any]:
    if content_type == JSON:
        return {"name": source.name, "source": source.plain()}
    values = {key: _value(each) for key, each in source.properties.items()}
    return {"name": source.name, "source": values}


def _value(found: Value) -> Any:
    return {"value": found.value, "origin": found.origin} if found.origin else found.value
