"""Eureka's REST interface, under /eureka and /eureka/v2."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from discovery.eureka import deserialize, serialize
from discovery.eureka.response_cache import Page, Pages, gzipped
from discovery.registry.models import Key, Lease, Status
from discovery.registry.registry import Registry
from discovery.replication import protocol
from discovery.replication.protocol import Action, Note
from discovery.replication.replicated_registry import Cluster

JSON, XML = "application/json", "application/xml"
PREFIXES = ("/eureka", "/eureka/v2")
FORMS: dict[tuple[str, bool], serialize.Form] = {
    (form.content_type, form.compact): form
    for compact in (False, True)
    for form in (serialize.JsonForm(compact), serialize.XmlForm(compact))
}
STATUSES = {status.value: status for status in Status}
MAX_BATCH_BYTES = 4_000_000
PARSERS = {JSON: deserialize.parse_json, XML: deserialize.parse_xml}


class EurekaApi:
    def __init__(self, registry: Registry, cluster: Cluster, pages: Pages) -> None:
        self._registry = registry
        self._cluster = cluster
        self._pages = pages

    def routes(self) -> list[web.RouteDef]:
        return [route for prefix in PREFIXES for route in self._routes(prefix)]

    def _routes(self, base: str) -> list[web.RouteDef]:
        end = "{_:/?}"  # Netflix's server minds no slash at the end
        application = f"{base}/apps/{{app}}"
        instance = f"{application}/{{id}}"
        return [
            web.get(f"{base}/apps{end}", self.all),
            web.get(f"{base}/apps/delta{end}", self.delta),
            web.put(f"{instance}{end}", self.renew),
            web.get(f"{instance}{end}", self.instance),
            web.delete(f"{instance}{end}", self.cancel),
            web.get(f"{application}{end}", self.application),
            web.post(f"{application}{end}", self.register),
            web.put(f"{instance}/status{end}", self.override),
            web.delete(f"{instance}/status{end}", self.remove_override),
            web.put(f"{instance}/metadata{end}", self.metadata),
            web.get(f"{base}/instances/{{id}}{end}", self.instance_by_id),
            web.get(f"{base}/vips/{{address}}{end}", self.vip),
            web.get(f"{base}/svips/{{address}}{end}", self.secure_vip),
            web.post(f"{base}/peerreplication/batch{end}", self.replicate),
        ]

    async def register(self, request: web.Request) -> web.Response:
        parse = PARSERS.get(request.content_type)
        if parse is None:
            return web.Response(status=415)
        try:
            given = parse(await _body(request))
            instance = deserialize.instance(given, request.match_info["app"])
            at = protocol.taken_down_at(Action.REGISTER, given)
        except deserialize.Unreadable as error:
            return _unreadable(error)
        except deserialize.Incomplete as error:
            return web.Response(status=400, text=str(error))
        if _is_of_a_replica(request):
            self._replay(Note(Action.REGISTER, instance.key, at=at, instance=instance))
        else:
            self._cluster.register(instance)
        return web.Response(status=204)

    async def renew(self, request: web.Request) -> web.Response:
        key, last_dirty = _key(request), _last_dirty(request)
        if _is_of_a_replica(request):
            said = STATUSES.get(request.query.get("overriddenstatus", ""))
            answer = self._replay(Note(Action.HEARTBEAT, key, last_dirty, overridden=said))
            info = answer.get("responseEntity")
            # The replica is to take over what is younger here; all else has no body.
            return web.Response(
                status=answer["statusCode"],
                body=serialize.to_json({"instance": info}) if info else None,
                content_type=JSON if info else None,
            )
        # The status that comes along is not heeded, as at Netflix's: only registrations set it.
        return _found(self._cluster.renew(*key, last_dirty))

    async def cancel(self, request: web.Request) -> web.Response:
        key = _key(request)
        if _is_of_a_replica(request):
            return self._replayed(Note(Action.CANCEL, key))
        return _found(self._cluster.cancel(*key))

    async def override(self, request: web.Request) -> web.Response:
        status = STATUSES.get(request.query.get("value", ""))
        if status is None:
            return web.Response(status=500)  # 400 would be right; this is what clients know
        key = _key(request)
        if _is_of_a_replica(request):
            return self._replayed(Note(Action.STATUS_UPDATE, key, _last_dirty(request), status))
        return _found(self._cluster.override_status(*key, status))

    async def remove_override(self, request: web.Request) -> web.Response:
        status = STATUSES.get(request.query.get("value", Status.UNKNOWN))
        if status is None:
            return web.Response(status=500)
        key, last_dirty = _key(request), _last_dirty(request)
        if _is_of_a_replica(request):
            return self._replayed(Note(Action.DELETE_STATUS_OVERRIDE, key, last_dirty, status))
        return _found(self._cluster.remove_override(*key, status))

    async def metadata(self, request: web.Request) -> web.Response:
        return _found(self._cluster.add_metadata(*_key(request), request.query))

    async def replicate(self, request: web.Request) -> web.Response:
        """What another replica did, many things at once; each gets its own answer."""
        if request.content_type != JSON:
            return web.Response(status=415)
        try:
            larger = request.clone(client_max_size=MAX_BATCH_BYTES)
            members = protocol.read_batch(await _body(larger))
        except deserialize.Unreadable as error:
            return _unreadable(error)
        answers = [protocol.apply_member(self._registry, member) for member in members]
        form = _form(request)
        if form is None:
            return web.Response(status=406)
        body = protocol.answers_as(form.content_type, answers)
        return web.Response(body=body, content_type=form.content_type)

    def _replay(self, note: Note) -> protocol.Document:
        return protocol.apply(self._registry, note)

    def _replayed(self, note: Note) -> web.Response:
        return web.Response(status=self._replay(note)["statusCode"])

    async def all(self, request: web.Request) -> web.Response:
        return await self._page(request, self._pages.all)

    async def delta(self, request: web.Request) -> web.Response:
        return await self._page(request, self._pages.delta)

    async def application(self, request: web.Request) -> web.Response:
        form = _form(request)
        if form is None:
            return web.Response(status=406)
        self._registry.sweep()
        body = await self._pages.application(request.match_info["app"], form)
        return web.Response(status=404) if body is None else await _answer(request, form, body)

    async def instance(self, request: web.Request) -> web.Response:
        return await _instance(request, self._registry.instance(*_key(request)))

    async def instance_by_id(self, request: web.Request) -> web.Response:
        return await _instance(request, self._registry.instance_by_id(request.match_info["id"]))

    async def vip(self, request: web.Request) -> web.Response:
        return await self._by_address(request, "vipAddress")

    async def secure_vip(self, request: web.Request) -> web.Response:
        return await self._by_address(request, "secureVipAddress")

    async def _by_address(self, request: web.Request, key: str) -> web.Response:
        form = _form(request)
        if form is None:
            return web.Response(status=406)
        self._registry.sweep()
        body = await self._pages.by_address(key, request.match_info["address"], form)
        return await _answer(request, form, body)

    async def _page(
        self, request: web.Request, pages: Callable[[serialize.Form], Awaitable[Page]]
    ) -> web.Response:
        form = _form(request)
        if form is None:
            return web.Response(status=406)
        self._registry.sweep()
        page = await pages(form)
        headers = {"Content-Type": form.content_type}
        if not _takes_gzip(request):
            return web.Response(body=page.body, headers=headers)
        return web.Response(body=await page.gzipped(), headers={**headers, **GZIP})


GZIP = {"Content-Encoding": "gzip"}


class Spoiled(deserialize.Unreadable):
    """Not even where the body ends is known: nothing more can come over that connection."""


async def _body(request: web.BaseRequest) -> bytes:
    """Unpacked; raises Spoiled."""
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise Spoiled(str(error)) from error


def _unreadable(error: deserialize.Unreadable) -> web.Response:
    answer = web.json_response({"error": "cannot parse request body"}, status=400)
    if isinstance(error, Spoiled):
        answer.force_close()
    return answer


def _key(request: web.Request) -> Key:
    return request.match_info["app"].upper(), request.match_info["id"]


def _last_dirty(request: web.Request) -> int | None:
    said = request.query.get("lastDirtyTimestamp", "")
    return int(said) if said.isdecimal() and len(said) < 20 else None


def _is_of_a_replica(request: web.Request) -> bool:
    return request.headers.get("x-netflix-discovery-replication") == "true"


def _takes_gzip(request: web.Request) -> bool:
    return "gzip" in request.headers.get("Accept-Encoding", "")


def _found(known: bool) -> web.Response:
    return web.Response(status=200 if known else 404)


def _form(request: web.Request) -> serialize.Form | None:
    """JSON for those who name it, XML for all others who take it: `*/*` and no Accept as well."""
    accept = request.headers.get("Accept", "*/*").lower()
    ranges = {each.partition(";")[0].strip() for each in accept.split(",")}
    if ranges.isdisjoint({"*/*", "application/*", JSON, XML}):
        return None
    compact = request.headers.get("X-Eureka-Accept", "").lower() == "compact"
    return FORMS[JSON if "json" in accept else XML, compact]


async def _answer(request: web.Request, form: serialize.Form, body: bytes) -> web.Response:
    headers = {"Content-Type": form.content_type}
    if not _takes_gzip(request):
        return web.Response(body=body, headers=headers)
    return web.Response(body=await gzipped(body), headers={**headers, **GZIP})


async def _instance(request: web.Request, lease: Lease | None) -> web.Response:
    if lease is None:
        return web.Response(status=404)
    asked = _form(request)
    if asked is None:
        return web.Response(status=406)
    form = FORMS[asked.content_type, False]  # compact are only the lists
    return await _answer(request, form, form.instance(form.fragment(lease)))
