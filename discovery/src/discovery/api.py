"""Eureka's REST interface, under /eureka and /eureka/v2."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from discovery import parsing, wire
from discovery.models import Lease, Status
from discovery.pages import Page, Pages, Render
from discovery.registry import Registry

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

JSON, XML = "application/json", "application/xml"
PREFIXES = ("/eureka", "/eureka/v2")
RENDERERS: dict[str, Render] = {JSON: wire.to_json, XML: wire.to_xml}
STATUSES = {status.value: status for status in Status}
PARSERS = {JSON: parsing.parse_json, XML: parsing.parse_xml}


@web.middleware
async def without_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals of the framework (404, 405, 413) keep status and Allow and lose their body.

    Netflix's client takes a body that comes with a 404 for an instance, and never registers again.
    """
    if not request.path.startswith("/eureka"):
        return await handler(request)
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        allow = refusal.headers.get("Allow")
        return web.Response(status=refusal.status, headers={"Allow": allow} if allow else None)


class EurekaApi:
    def __init__(self, registry: Registry, pages: Pages) -> None:
        self._registry = registry
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        return [route for prefix in PREFIXES for route in self._routes(prefix)]

    def _routes(self, base: str) -> list[web.RouteDef]:
        instance = f"{base}/apps/{{app}}/{{id}}"
        return [
            web.get(f"{base}/apps", self.all),
            web.get(f"{base}/apps/", self.all),
            web.get(f"{base}/apps/delta", self.delta),
            web.get(f"{base}/apps/{{app}}", self.application),
            web.post(f"{base}/apps/{{app}}", self.register),
            web.get(instance, self.instance),
            web.put(instance, self.renew),
            web.delete(instance, self.cancel),
            web.put(f"{instance}/status", self.override),
            web.delete(f"{instance}/status", self.remove_override),
            web.put(f"{instance}/metadata", self.metadata),
            web.get(f"{base}/instances/{{id}}", self.instance_by_id),
            web.get(f"{base}/vips/{{address}}", self.vip),
            web.get(f"{base}/svips/{{address}}", self.secure_vip),
        ]

    async def register(self, request: web.Request) -> web.Response:
        parse = PARSERS.get(request.content_type)
        if parse is None:
            return web.Response(status=415)
        try:
            given = parse(await request.read())
            self._registry.register(parsing.instance(given, request.match_info["app"]))
        except parsing.Unreadable:
            return web.json_response({"error": "cannot parse request body"}, status=400)
        except parsing.Incomplete as error:
            return web.Response(status=400, text=str(error))
        return web.Response(status=204)

    async def renew(self, request: web.Request) -> web.Response:
        dirty = request.query.get("lastDirtyTimestamp", "")
        # The status that comes along is not heeded, as at Netflix's: only registrations set it.
        return _found(self._registry.renew(*_address(request), _digits(dirty)))

    async def cancel(self, request: web.Request) -> web.Response:
        return _found(self._registry.cancel(*_address(request)))

    async def override(self, request: web.Request) -> web.Response:
        status = STATUSES.get(request.query.get("value", ""))
        if status is None:
            return web.Response(status=500)  # 400 would be right; this is what clients know
        return _found(self._registry.override_status(*_address(request), status))

    async def remove_override(self, request: web.Request) -> web.Response:
        status = STATUSES.get(request.query.get("value", Status.UNKNOWN))
        if status is None:
            return web.Response(status=500)
        return _found(self._registry.remove_override(*_address(request), status))

    async def metadata(self, request: web.Request) -> web.Response:
        return _found(self._registry.add_metadata(*_address(request), request.query))

    async def all(self, request: web.Request) -> web.Response:
        return self._page(request, self._pages.all)

    async def delta(self, request: web.Request) -> web.Response:
        return self._page(request, self._pages.delta)

    async def application(self, request: web.Request) -> web.Response:
        self._registry.sweep()
        leases = self._registry.application(request.match_info["app"])
        if not leases:
            return web.Response(status=404)
        return _answer(request, "application", wire.application(leases[0].instance.app, leases))

    async def instance(self, request: web.Request) -> web.Response:
        return _instance(request, self._registry.instance(*_address(request)))

    async def instance_by_id(self, request: web.Request) -> web.Response:
        return _instance(request, self._registry.instance_by_id(request.match_info["id"]))

    async def vip(self, request: web.Request) -> web.Response:
        return self._by_address(request, "vipAddress")

    async def secure_vip(self, request: web.Request) -> web.Response:
        return self._by_address(request, "secureVipAddress")

    def _by_address(self, request: web.Request, key: str) -> web.Response:
        self._registry.sweep()
        found = self._registry.by_address(key, request.match_info["address"])
        leases = [lease for leases in found.values() for lease in leases]
        return _answer(request, "applications", wire.applications(found, -1, leases))

    def _page(self, request: web.Request, pages: Callable[[Render], Page]) -> web.Response:
        content_type = _content_type(request)
        if content_type is None:
            return web.Response(status=406)
        self._registry.sweep()
        page = pages(RENDERERS[content_type])
        headers = {"Content-Type": content_type}
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.Response(body=page.body, headers=headers)
        return web.Response(body=page.gzipped(), headers={**headers, "Content-Encoding": "gzip"})


def _address(request: web.Request) -> tuple[str, str]:
    return request.match_info["app"], request.match_info["id"]


def _digits(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _found(known: bool) -> web.Response:
    return web.Response(status=200 if known else 404)


def _content_type(request: web.Request) -> str | None:
    """JSON for those who name it, XML for all others who take it: `*/*` and no Accept as well."""
    accept = request.headers.get("Accept", "*/*").lower()
    ranges = {each.partition(";")[0].strip() for each in accept.split(",")}
    if ranges.isdisjoint({"*/*", "application/*", JSON, XML}):
        return None
    return JSON if "json" in accept else XML


def _answer(request: web.Request, root: str, document: wire.Document) -> web.Response:
    content_type = _content_type(request)
    if content_type is None:
        return web.Response(status=406)
    body = RENDERERS[content_type](root, document)
    return web.Response(body=body, headers={"Content-Type": content_type})


def _instance(request: web.Request, lease: Lease | None) -> web.Response:
    if lease is None:
        return web.Response(status=404)
    return _answer(request, "instance", wire.instance(lease))
