"""Eureka's REST interface, under /eureka and /eureka/v2."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web

from chassis.core.errors import Forbidden
from chassis.runtime.aiohttp import PRINCIPAL, refusal
from discovery.eureka import deserialize, serialize
from discovery.eureka.deserialize import storable
from discovery.eureka.response_cache import CachedPayload, EurekaResponseCache
from discovery.registry.models import InstanceInfo, InstanceStatus, Key, Lease
from discovery.registry.registry import Registry
from discovery.replication import protocol
from discovery.replication.protocol import ReplicationAction, ReplicationEvent
from discovery.replication.replicated_registry import ReplicatedRegistry
from discovery.web.negotiation import GZIP, JSON, RENDERERS, XML, answer, renderer_for, takes_gzip
from discovery.web.rights import RegistryRights

log = logging.getLogger(__name__)

PREFIXES = ("/eureka", "/eureka/v2")
STATUSES = {status.value: status for status in InstanceStatus}
MAX_BATCH_BYTES = 4_000_000
PARSERS = {JSON: deserialize.parse_json, XML: deserialize.parse_xml}


class EurekaApi:
    def __init__(
        self,
        registry: Registry,
        replicated: ReplicatedRegistry,
        cache: EurekaResponseCache,
        rights: RegistryRights,
    ) -> None:
        self._rights = rights
        self._registry = registry
        self._replicated = replicated
        self._cache = cache

    def routes(self) -> list[web.RouteDef]:
        return [route for prefix in PREFIXES for route in self._routes(prefix)]

    def _routes(self, base: str) -> list[web.RouteDef]:
        end = "{_:/?}"  # Netflix's server ignores a slash at the end
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
            document = parse(await _body(request))
            instance = deserialize.parse_instance(document, request.match_info["app"])
            registered_at = protocol.recorded_at(ReplicationAction.REGISTER, document)
        except deserialize.MalformedDocument as error:
            return _malformed(error)
        except deserialize.IncompleteRegistration as error:
            return web.Response(status=400, text=str(error))
        await self._admit(request, instance)
        if _is_replication(request):
            self._apply(
                ReplicationEvent(
                    ReplicationAction.REGISTER, instance.key, at=registered_at, instance=instance
                )
            )
        else:
            self._replicated.register(instance)
        return web.Response(status=204)

    async def renew(self, request: web.Request) -> web.Response:
        key, last_dirty = self._changed_key(request), _last_dirty(request)
        if _is_replication(request):
            value = STATUSES.get(request.query.get("overriddenstatus", ""))
            answer = self._apply(
                ReplicationEvent(ReplicationAction.HEARTBEAT, key, last_dirty, overridden=value)
            )
            info = answer.get("responseEntity")
            # The replica is to copy what is newer here; all other answers have no body.
            return web.Response(
                status=answer["statusCode"],
                body=serialize.to_json({"instance": info}) if info else None,
                content_type=JSON if info else None,
            )
        # The status in the query is ignored, as at Netflix's server: only registrations set it.
        return _ok_or_not_found(self._replicated.renew(*key, last_dirty))

    async def cancel(self, request: web.Request) -> web.Response:
        key = self._changed_key(request)
        if _is_replication(request):
            return self._apply_and_answer(ReplicationEvent(ReplicationAction.CANCEL, key))
        return _ok_or_not_found(self._replicated.cancel(*key))

    async def override(self, request: web.Request) -> web.Response:
        status = STATUSES.get(request.query.get("value", ""))
        if status is None:
            return web.Response(status=500)  # 400 would be right; this is what clients know
        key = self._changed_key(request)
        if _is_replication(request):
            return self._apply_and_answer(
                ReplicationEvent(ReplicationAction.STATUS_UPDATE, key, _last_dirty(request), status)
            )
        return _ok_or_not_found(self._replicated.override_status(*key, status))

    async def remove_override(self, request: web.Request) -> web.Response:
        status = STATUSES.get(request.query.get("value", InstanceStatus.UNKNOWN))
        if status is None:
            return web.Response(status=500)
        key, last_dirty = self._changed_key(request), _last_dirty(request)
        if _is_replication(request):
            return self._apply_and_answer(
                ReplicationEvent(ReplicationAction.DELETE_STATUS_OVERRIDE, key, last_dirty, status)
            )
        return _ok_or_not_found(self._replicated.remove_override(*key, status))

    async def metadata(self, request: web.Request) -> web.Response:
        entries = {storable(key): storable(value) for key, value in request.query.items()}
        key = self._changed_key(request)
        return _ok_or_not_found(self._replicated.add_metadata(*key, entries))

    async def replicate(self, request: web.Request) -> web.Response:
        """A batch of another replica's changes; each gets an answer of its own."""
        if request.content_type != JSON:
            return web.Response(status=415)
        try:
            larger = request.clone(client_max_size=MAX_BATCH_BYTES)
            members = protocol.read_batch(await _body(larger))
        except deserialize.MalformedDocument as error:
            return _malformed(error)
        answers = [await self._apply_member(request, member) for member in members]
        renderer = renderer_for(request)
        if renderer is None:
            return web.Response(status=406)
        body = protocol.render_answers(renderer.content_type, answers)
        return web.Response(body=body, content_type=renderer.content_type)

    async def _apply_member(self, request: web.Request, member: Any) -> protocol.JsonObject:
        event = protocol.read_member(member)
        try:
            if event is not None:
                self._rights.check_change(request[PRINCIPAL], event.key[0])
            if event is not None and event.instance is not None:
                await self._check_registration(request, event.instance)
        except Forbidden as problem:
            log.warning("a change that was sent as a replica's is refused: %s", problem)
            return protocol.answer(HTTPStatus.FORBIDDEN)
        return protocol.apply(self._registry, event)

    async def _admit(self, request: web.Request, instance: InstanceInfo) -> None:
        try:
            await self._check_registration(request, instance)
        except Forbidden as problem:
            log.warning("%s is not registered: %s", instance.id, problem)
            raise refusal(problem) from problem

    async def _check_registration(self, request: web.Request, instance: InstanceInfo) -> None:
        remote = request.remote or ""
        await self._rights.check_registration(request[PRINCIPAL], instance, remote)

    def _changed_key(self, request: web.Request) -> Key:
        """That of the instance in the address, which whoever asks may change."""
        key = _key(request)
        try:
            self._rights.check_change(request[PRINCIPAL], key[0])
        except Forbidden as problem:
            raise refusal(problem) from problem
        return key

    def _apply(self, event: ReplicationEvent) -> protocol.JsonObject:
        return protocol.apply(self._registry, event)

    def _apply_and_answer(self, event: ReplicationEvent) -> web.Response:
        return web.Response(status=self._apply(event)["statusCode"])

    async def all(self, request: web.Request) -> web.Response:
        return await self._list(request, self._cache.all)

    async def delta(self, request: web.Request) -> web.Response:
        return await self._list(request, self._cache.delta)

    async def application(self, request: web.Request) -> web.Response:
        renderer = renderer_for(request)
        if renderer is None:
            return web.Response(status=406)
        self._registry.sweep()
        body = await self._cache.application(request.match_info["app"], renderer)
        return web.Response(status=404) if body is None else await answer(request, renderer, body)

    async def instance(self, request: web.Request) -> web.Response:
        return await _instance(request, self._registry.instance(*_key(request)))

    async def instance_by_id(self, request: web.Request) -> web.Response:
        return await _instance(request, self._registry.instance_by_id(request.match_info["id"]))

    async def vip(self, request: web.Request) -> web.Response:
        return await self._by_address(request, "vipAddress")

    async def secure_vip(self, request: web.Request) -> web.Response:
        return await self._by_address(request, "secureVipAddress")

    async def _by_address(self, request: web.Request, key: str) -> web.Response:
        renderer = renderer_for(request)
        if renderer is None:
            return web.Response(status=406)
        self._registry.sweep()
        body = await self._cache.by_address(key, request.match_info["address"], renderer)
        return await answer(request, renderer, body)

    async def _list(
        self, request: web.Request, load: Callable[[serialize.Renderer], Awaitable[CachedPayload]]
    ) -> web.Response:
        renderer = renderer_for(request)
        if renderer is None:
            return web.Response(status=406)
        self._registry.sweep()
        payload = await load(renderer)
        headers = {"Content-Type": renderer.content_type}
        if not takes_gzip(request):
            return web.Response(body=payload.body, headers=headers)
        return web.Response(body=await payload.gzipped(), headers={**headers, **GZIP})


class BrokenTransfer(deserialize.MalformedDocument):
    """The body's end is unknown: nothing more can come over that connection."""


async def _body(request: web.BaseRequest) -> bytes:
    """The decompressed body; raises BrokenTransfer."""
    try:
        return await request.read()
    except web.RequestPayloadError as error:
        raise BrokenTransfer(str(error)) from error


def _malformed(error: deserialize.MalformedDocument) -> web.Response:
    answer = web.json_response({"error": "cannot parse request body"}, status=400)
    if isinstance(error, BrokenTransfer):
        answer.force_close()
    return answer


def _key(request: web.Request) -> Key:
    return request.match_info["app"].upper(), request.match_info["id"]


def _last_dirty(request: web.Request) -> int | None:
    value = deserialize.whole(request.query.get("lastDirtyTimestamp", ""))
    return value if value and 0 < value <= deserialize.MAX_LONG else None


def _is_replication(request: web.Request) -> bool:
    return request.headers.get("x-netflix-discovery-replication") == "true"


def _ok_or_not_found(known: bool) -> web.Response:
    return web.Response(status=200 if known else 404)


async def _instance(request: web.Request, lease: Lease | None) -> web.Response:
    if lease is None:
        return web.Response(status=404)
    requested = renderer_for(request)
    if requested is None:
        return web.Response(status=406)
    renderer = RENDERERS[requested.content_type, False]  # only lists come in the compact renderer
    return await answer(request, renderer, renderer.instance(renderer.fragment(lease)))
