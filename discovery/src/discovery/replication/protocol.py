"""What replicas tell one another, in the shapes of Netflix's /peerreplication/batch/."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from discovery.eureka import deserialize, serialize
from discovery.registry.models import Instance, Key, Lease, Override, Status
from discovery.registry.registry import Registry

log = logging.getLogger(__name__)

OK, BAD_REQUEST = HTTPStatus.OK, HTTPStatus.BAD_REQUEST
NOT_FOUND, CONFLICT = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
UNKNOWN = Status.UNKNOWN

JSON = "application/json"
PACKAGE = "com.netflix.eureka.cluster.protocol"  # Netflix's server names its classes in XML

Document = dict[str, Any]


class Action(StrEnum):
    """In the order in which they are told of one instance."""

    CANCEL = "Cancel"
    REGISTER = "Register"
    STATUS_UPDATE = "StatusUpdate"
    DELETE_STATUS_OVERRIDE = "DeleteStatusOverride"
    HEARTBEAT = "Heartbeat"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing told of one instance."""

    action: Action
    key: Key
    last_dirty: int | None = None
    status: Status = Status.UNKNOWN
    overridden: Status | None = None
    at: int | None = None  # when the sender took it down
    overridden_at: int | None = None  # of a registration
    instance: Instance | None = None

    @classmethod
    def read(cls, given: Any) -> "Note":
        """Raises parsing.Unreadable or parsing.Incomplete."""
        said = deserialize.mapping(given)
        action = ACTIONS.get(deserialize.text(said, "action") or "")
        if action is None:
            raise deserialize.Unreadable("no action that is known")
        app = (deserialize.text(said, "appName") or "").upper()
        info = (
            None if said.get("instanceInfo") is None else deserialize.mapping(said["instanceInfo"])
        )
        return cls(
            action=action,
            key=(app, deserialize.text(said, "id") or ""),
            last_dirty=deserialize.timestamp(said, "lastDirtyTimestamp"),
            status=Status.of(deserialize.text(said, "status") or ""),
            overridden=STATUSES.get(deserialize.text(said, "overriddenStatus") or ""),
            at=taken_down_at(action, info) if info else None,
            overridden_at=updated_at(info) if info else None,
            instance=deserialize.instance(info, app) if info else None,
        )


ACTIONS = {action.value: action for action in Action}
STATUSES = {status.value: status for status in Status}


def document(action: Action, lease: Lease, override: Override | None) -> Document:
    """The member of a batch that tells `action` of a lease that lives."""
    app, id_ = lease.instance.key
    said: Document = {
        "appName": app,
        "id": id_,
        "lastDirtyTimestamp": lease.last_dirty,
        "overriddenStatus": lease.overridden,
        "status": lease.status,
        "action": action,
    }
    if action is Action.REGISTER:
        said["instanceInfo"] = as_registered(lease, override)
    elif action is not Action.HEARTBEAT and override:
        # Netflix's server overlooks the instance here; ours reads when the status was set.
        said["instanceInfo"] = {**serialize.instance(lease), **_time_of(override)}
        if action is Action.STATUS_UPDATE:
            said["status"] = override.status
    return said


def cancellation(key: Key, last_dirty: int) -> Document:
    app, id_ = key
    return {"appName": app, "id": id_, "lastDirtyTimestamp": last_dirty, "action": Action.CANCEL}


def as_registered(lease: Lease, override: Override | None) -> Document:
    """The instance as a replica is to register it."""
    # Its status without the override: that one is told for itself, and may be taken back.
    return {**serialize.instance(lease), "status": lease.own_status, **_time_of(override)}


def _time_of(override: Override | None) -> Document:
    return {"lastUpdatedTimestamp": str(override.at)} if override else {}


def taken_down_at(action: Action, info: Mapping[str, Any]) -> int | None:
    changed_at = updated_at(info)
    return (_registered_at(info) or changed_at) if action is Action.REGISTER else changed_at


def updated_at(info: Mapping[str, Any]) -> int | None:
    return deserialize.timestamp(info, "lastUpdatedTimestamp")


def _registered_at(info: Mapping[str, Any]) -> int | None:
    return deserialize.timestamp(
        deserialize.mapping(info.get("leaseInfo") or {}), "registrationTimestamp"
    )


def apply(registry: Registry, note: Note) -> Document:
    """Do what another replica did; the member of the answer, with our instance if it is newer."""
    return APPLY[note.action](registry, note)


def read_batch(body: bytes) -> list[Any]:
    """The members of a batch as they came; raises parsing.Unreadable."""
    members = deserialize.load_json(body).get("replicationList")
    if not isinstance(members, list):
        raise deserialize.Unreadable("no replicationList")
    return members


def apply_member(registry: Registry, member: Any) -> Document:
    """As `apply`; a member that cannot be read is answered 400, and the others are done."""
    try:
        return apply(registry, Note.read(member))
    except (deserialize.Unreadable, deserialize.Incomplete) as error:
        log.warning("a replica told what cannot be read: %s", error)
        return _answer(BAD_REQUEST)


def answers_as(content_type: str, answers: Sequence[Document]) -> bytes:
    if content_type == JSON:
        return serialize.to_json({"responseList": answers})
    return serialize.to_xml(f"{PACKAGE}.ReplicationListResponse", _in_xml(answers))


def _in_xml(answers: Sequence[Document]) -> Document:
    return {"responseList": {f"{PACKAGE}.ReplicationInstanceResponse": list(answers)}}


def _answer(status: HTTPStatus) -> Document:
    return {"statusCode": int(status)}


def _register(registry: Registry, note: Note) -> Document:
    if note.instance is None:
        return _answer(BAD_REQUEST)
    registry.register(note.instance, note.at or registry.now(), note.overridden_at)
    return _answer(OK)


def _heartbeat(registry: Registry, note: Note) -> Document:
    if not registry.renew(*note.key, note.last_dirty):
        return _answer(NOT_FOUND)
    lease = registry.instance(*note.key)
    if lease is None:
        return _answer(NOT_FOUND)
    if note.overridden not in (None, lease.overridden):
        # Who is told that it is not found tells the override too, with its time.
        return _conflict(registry, lease) if note.overridden is UNKNOWN else _answer(NOT_FOUND)
    if note.last_dirty is not None and lease.last_dirty > note.last_dirty:
        return _conflict(registry, lease)
    return _answer(OK)


def _conflict(registry: Registry, lease: Lease) -> Document:
    """Our instance, for a sender that knows less of it."""
    override = registry.override(lease.instance.key)
    return {**_answer(CONFLICT), "responseEntity": as_registered(lease, override)}


def _cancel(registry: Registry, note: Note) -> Document:
    return _answer(OK if registry.cancel(*note.key, note.last_dirty) else NOT_FOUND)


def _status_update(registry: Registry, note: Note) -> Document:
    at = note.at or registry.now()
    known = not _is_behind(registry, note)
    return _answer(
        OK if known and registry.override_status(*note.key, note.status, at) else NOT_FOUND
    )


def _delete_status_override(registry: Registry, note: Note) -> Document:
    at = note.at or registry.now()
    known = not _is_behind(registry, note)
    return _answer(
        OK if known and registry.remove_override(*note.key, note.status, at) else NOT_FOUND
    )


def _is_behind(registry: Registry, note: Note) -> bool:
    """Whether the sender knows a younger registration, which has to come first."""
    lease = registry.instance(*note.key)
    return bool(lease and note.last_dirty and note.last_dirty > lease.last_dirty)


APPLY: Mapping[Action, Callable[[Registry, Note], Document]] = {
    Action.REGISTER: _register,
    Action.HEARTBEAT: _heartbeat,
    Action.CANCEL: _cancel,
    Action.STATUS_UPDATE: _status_update,
    Action.DELETE_STATUS_OVERRIDE: _delete_status_override,
}


def take_over(registry: Registry, info: Mapping[str, Any]) -> None:
    """Register what another replica lists; one that cannot be read must not keep out the rest."""
    try:
        found = deserialize.instance(info, deserialize.text(info, "app") or "")
        registered_at, overridden_at = taken_down_at(Action.REGISTER, info), updated_at(info)
    except (deserialize.Unreadable, deserialize.Incomplete) as error:
        log.warning("an instance that another replica lists cannot be read: %s", error)
    else:
        registry.register(found, registered_at or registry.now(), overridden_at)


def listed_instances(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Those in the answer to GET /apps; raises parsing.Unreadable."""
    applications = deserialize.mapping(document.get("applications")).get("application")
    if not isinstance(applications, list):
        raise deserialize.Unreadable("no list of applications")
    listed = [deserialize.mapping(each).get("instance") for each in applications]
    return [deserialize.mapping(info) for each in listed if isinstance(each, list) for info in each]
