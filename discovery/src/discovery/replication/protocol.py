"""Replication between peers, in the format of Netflix's /peerreplication/batch/."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from discovery.eureka import deserialize, serialize
from discovery.registry.models import InstanceInfo, InstanceStatus, Key, Lease, StatusOverride
from discovery.registry.registry import Registry

log = logging.getLogger(__name__)

OK, BAD_REQUEST = HTTPStatus.OK, HTTPStatus.BAD_REQUEST
NOT_FOUND, CONFLICT = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
UNKNOWN = InstanceStatus.UNKNOWN

JSON = "application/json"
PACKAGE = "com.netflix.eureka.cluster.protocol"  # Netflix's server names its classes in XML

JsonObject = dict[str, Any]


class ReplicationAction(StrEnum):
    """In the order in which they are sent for one instance."""

    CANCEL = "Cancel"
    REGISTER = "Register"
    STATUS_UPDATE = "StatusUpdate"
    DELETE_STATUS_OVERRIDE = "DeleteStatusOverride"
    HEARTBEAT = "Heartbeat"


@dataclass(frozen=True, slots=True)
class ReplicationEvent:
    """What another replica did to one instance."""

    action: ReplicationAction
    key: Key
    last_dirty: int | None = None
    status: InstanceStatus = InstanceStatus.UNKNOWN
    overridden: InstanceStatus | None = None
    at: int | None = None  # when the sender recorded it
    overridden_at: int | None = None  # of a registration
    instance: InstanceInfo | None = None

    @classmethod
    def read(cls, document: Any) -> "ReplicationEvent":
        """Raises MalformedDocument or IncompleteRegistration."""
        member = deserialize.mapping(document)
        action = ACTIONS.get(deserialize.text(member, "action") or "")
        if action is None:
            raise deserialize.MalformedDocument("unknown action")
        app = (deserialize.text(member, "appName") or "").upper()
        info = (
            None
            if member.get("instanceInfo") is None
            else deserialize.mapping(member["instanceInfo"])
        )
        return cls(
            action=action,
            key=(app, deserialize.text(member, "id") or ""),
            last_dirty=deserialize.timestamp(member, "lastDirtyTimestamp"),
            status=InstanceStatus.of(deserialize.text(member, "status") or ""),
            overridden=STATUSES.get(deserialize.text(member, "overriddenStatus") or ""),
            at=recorded_at(action, info) if info else None,
            overridden_at=updated_at(info) if info else None,
            instance=deserialize.parse_instance(info, app) if info else None,
        )


ACTIONS = {action.value: action for action in ReplicationAction}
STATUSES = {status.value: status for status in InstanceStatus}


def batch_member(
    action: ReplicationAction, lease: Lease, override: StatusOverride | None
) -> JsonObject:
    """The member of a batch that replicates `action` on a live lease."""
    app, id_ = lease.instance.key
    member: JsonObject = {
        "appName": app,
        "id": id_,
        "lastDirtyTimestamp": lease.last_dirty,
        "overriddenStatus": lease.overridden,
        "status": lease.status,
        "action": action,
    }
    if action is ReplicationAction.REGISTER:
        member["instanceInfo"] = as_registered(lease, override)
    elif action is not ReplicationAction.HEARTBEAT and override:
        # Netflix's server overlooks the instance here; ours reads when the status was set.
        member["instanceInfo"] = {**serialize.instance(lease), **_override_time(override)}
        if action is ReplicationAction.STATUS_UPDATE:
            member["status"] = override.status
    return member


def cancellation(key: Key, last_dirty: int) -> JsonObject:
    app, id_ = key
    return {
        "appName": app,
        "id": id_,
        "lastDirtyTimestamp": last_dirty,
        "action": ReplicationAction.CANCEL,
    }


def as_registered(lease: Lease, override: StatusOverride | None) -> JsonObject:
    """The instance as a replica is to register it."""
    # Its status without the override, which is an action of its own, and may be removed.
    return {**serialize.instance(lease), "status": lease.own_status, **_override_time(override)}


def _override_time(override: StatusOverride | None) -> JsonObject:
    return {"lastUpdatedTimestamp": str(override.at)} if override else {}


def recorded_at(action: ReplicationAction, info: Mapping[str, Any]) -> int | None:
    changed_at = updated_at(info)
    return (
        (_registered_at(info) or changed_at) if action is ReplicationAction.REGISTER else changed_at
    )


def updated_at(info: Mapping[str, Any]) -> int | None:
    return deserialize.timestamp(info, "lastUpdatedTimestamp")


def _registered_at(info: Mapping[str, Any]) -> int | None:
    return deserialize.timestamp(
        deserialize.mapping(info.get("leaseInfo") or {}), "registrationTimestamp"
    )


def apply(registry: Registry, event: ReplicationEvent | None) -> JsonObject:
    """Apply another replica's change; returns our instance in the answer if it is newer.

    One that could not be read, None, is answered 400.
    """
    return APPLY[event.action](registry, event) if event else answer(BAD_REQUEST)


def read_batch(body: bytes) -> list[Any]:
    """The members of a batch as they came; raises MalformedDocument."""
    members = deserialize.load_json(body).get("replicationList")
    if not isinstance(members, list):
        raise deserialize.MalformedDocument("no replicationList")
    return members


def read_member(member: Any) -> ReplicationEvent | None:
    """None when it cannot be read; the others are done all the same."""
    try:
        return ReplicationEvent.read(member)
    except (deserialize.MalformedDocument, deserialize.IncompleteRegistration) as error:
        log.warning("a change sent by a replica cannot be read: %s", error)
        return None


def render_answers(content_type: str, answers: Sequence[JsonObject]) -> bytes:
    if content_type == JSON:
        return serialize.to_json({"responseList": answers})
    return serialize.to_xml(f"{PACKAGE}.ReplicationListResponse", _for_xml(answers))


def _for_xml(answers: Sequence[JsonObject]) -> JsonObject:
    return {"responseList": {f"{PACKAGE}.ReplicationInstanceResponse": list(answers)}}


def answer(status: HTTPStatus) -> JsonObject:
    return {"statusCode": int(status)}


def _register(registry: Registry, event: ReplicationEvent) -> JsonObject:
    if event.instance is None:
        return answer(BAD_REQUEST)
    registry.register(event.instance, event.at or registry.now(), event.overridden_at)
    return answer(OK)


def _heartbeat(registry: Registry, event: ReplicationEvent) -> JsonObject:
    if not registry.renew(*event.key, event.last_dirty):
        return answer(NOT_FOUND)
    lease = registry.instance(*event.key)
    if lease is None:
        return answer(NOT_FOUND)
    if event.overridden not in (None, lease.overridden):
        # A sender that gets 404 sends the override too, with its time.
        return _conflict(registry, lease) if event.overridden is UNKNOWN else answer(NOT_FOUND)
    if event.last_dirty is not None and lease.last_dirty > event.last_dirty:
        return _conflict(registry, lease)
    return answer(OK)


def _conflict(registry: Registry, lease: Lease) -> JsonObject:
    """Our instance, for a sender that knows less of it."""
    override = registry.override(lease.instance.key)
    return {**answer(CONFLICT), "responseEntity": as_registered(lease, override)}


def _cancel(registry: Registry, event: ReplicationEvent) -> JsonObject:
    return answer(OK if registry.cancel(*event.key, event.last_dirty) else NOT_FOUND)


def _status_update(registry: Registry, event: ReplicationEvent) -> JsonObject:
    at = event.at or registry.now()
    current = not _is_behind(registry, event)
    return answer(
        OK if current and registry.override_status(*event.key, event.status, at) else NOT_FOUND
    )


def _delete_status_override(registry: Registry, event: ReplicationEvent) -> JsonObject:
    at = event.at or registry.now()
    current = not _is_behind(registry, event)
    return answer(
        OK if current and registry.remove_override(*event.key, event.status, at) else NOT_FOUND
    )


def _is_behind(registry: Registry, event: ReplicationEvent) -> bool:
    """Whether the sender knows a younger registration, which has to come first."""
    lease = registry.instance(*event.key)
    return bool(lease and event.last_dirty and event.last_dirty > lease.last_dirty)


APPLY: Mapping[ReplicationAction, Callable[[Registry, ReplicationEvent], JsonObject]] = {
    ReplicationAction.REGISTER: _register,
    ReplicationAction.HEARTBEAT: _heartbeat,
    ReplicationAction.CANCEL: _cancel,
    ReplicationAction.STATUS_UPDATE: _status_update,
    ReplicationAction.DELETE_STATUS_OVERRIDE: _delete_status_override,
}


def register_copy(registry: Registry, info: Mapping[str, Any]) -> None:
    """Register what another replica lists; one that cannot be read must not keep out the rest."""
    try:
        instance = deserialize.parse_instance(info, deserialize.text(info, "app") or "")
        registered_at, overridden_at = (
            recorded_at(ReplicationAction.REGISTER, info),
            updated_at(info),
        )
    except (deserialize.MalformedDocument, deserialize.IncompleteRegistration) as error:
        log.warning("an instance that another replica lists cannot be read: %s", error)
    else:
        registry.register(instance, registered_at or registry.now(), overridden_at)


def listed_instances(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Those in the answer to GET /apps; raises MalformedDocument."""
    applications = deserialize.mapping(document.get("applications")).get("application")
    return [
        deserialize.mapping(info)
        for application in deserialize.items(applications)
        for info in deserialize.items(deserialize.mapping(application).get("instance"))
    ]
