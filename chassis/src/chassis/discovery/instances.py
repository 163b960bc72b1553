"""A copy of the registry, kept up to date by what has changed since it was made.

Any Eureka server may be at the other end: what is said of one instance and cannot be read hides
that instance, and no other.
"""

import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import Any

log = logging.getLogger(__name__)

UP = "UP"
DELETED = "DELETED"
LIST_KEYS = {"application", "apps__hashcode"}
LARGEST_PORT = 65_535


@dataclass(frozen=True)
class Instance:
    """`since` tells one that has registered anew from what it was before.

    `host` is its address, an IPv6 one without brackets, and `host_name` what it calls itself;
    `metadata` is what it registered with, such as its version.
    """

    id: str
    service: str
    host: str
    port: int
    since: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict, compare=False)
    host_name: str = field(default="", compare=False)

    def __hash__(self) -> int:
        return hash(self.id)  # counted by at each call

    @property
    def is_canary(self) -> bool:
        """A new version on trial: called only by those who choose it."""
        return self.metadata.get("canary") == "true"

    @cached_property
    def authority(self) -> str:
        return authority(self.host, self.port)

    @cached_property
    def authority_bytes(self) -> bytes:
        return self.authority.encode()

    @property
    def url(self) -> str:
        """With the zone of an IPv6 address, which whoever connects needs (RFC 6874)."""
        if ":" not in self.host:
            return f"http://{self.host}:{self.port}"
        return f"http://[{self.host.replace('%', '%25', 1)}]:{self.port}"


def authority(host: str, port: int) -> str:
    """As a Host header names it (RFC 3986, 3.2.2): IPv6 in brackets and without its zone."""
    if ":" not in host:
        return f"{host}:{port}"
    address = host.partition("%")[0]
    with suppress(ValueError):  # it is no address, and nobody will answer there
        address = IPv6Address(address).compressed
    return f"[{address}]:{port}"


Snapshot = Mapping[str, tuple[Instance, ...]]


class RegistrySnapshot:
    """What Eureka's documents say, by application and instance.  Written by one thread.

    `version` grows with every document that is taken over.
    """

    def __init__(self) -> None:
        self._entries: dict[tuple[str, str], dict[str, Any]] = {}
        self.version = 0

    def replace(self, document: dict[str, Any]) -> None:
        """Take over the whole list.  ValueError when it is none."""
        self._entries = {_key(entry): entry for entry in _entries(document)}
        self.version += 1

    def change(self, document: dict[str, Any]) -> bool:
        """Take over a delta; False when this copy is another than the server's all the same."""
        entries = _entries(document)
        self.version += 1
        for entry in entries:
            if entry.get("actionType") == DELETED:
                self._entries.pop(_key(entry), None)
            else:
                self._entries[_key(entry)] = entry
        return bool(document["applications"].get("apps__hashcode") == self._hash_code())

    def knows(self, app: str, instance_id: str) -> bool:
        return (app.upper(), instance_id) in self._entries

    def snapshot(self) -> Snapshot:
        """Whoever is UP and can be called from here, by each name under which it is called."""
        services: dict[str, list[Instance]] = {}
        for entry in self._entries.values():
            for instance in _callable(entry):
                services.setdefault(instance.service, []).append(instance)
        return MappingProxyType({name: tuple(instances) for name, instances in services.items()})

    def _hash_code(self) -> str:
        numbers = Counter(str(entry.get("status")) for entry in self._entries.values())
        return "".join(f"{status}_{number}_" for status, number in sorted(numbers.items()))


def merged(listed: Snapshot, before: Snapshot) -> Snapshot:
    """`listed`, and beside it those of `before` that it does not name."""
    services = dict(listed)
    for service, instances in before.items():
        named = {instance.id for instance in listed.get(service, ())}
        services[service] = (
            *listed.get(service, ()),
            *(instance for instance in instances if instance.id not in named),
        )
    return MappingProxyType(services)


def _entries(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Raises ValueError when it is no list of applications."""
    applications = document.get("applications") if isinstance(document, dict) else None
    # With neither of these it is something else, and would empty the copy.
    if not isinstance(applications, dict) or not applications.keys() & LIST_KEYS:
        raise ValueError("no list of applications")
    return [
        entry
        for application in _items(applications.get("application"))
        if isinstance(application, dict)
        for entry in _items(application.get("instance"))
        if isinstance(entry, dict) and entry.get("app") and _id(entry)
    ]


def _items(value: Any) -> list[Any]:
    """Some servers write a list of one element as that element, and an empty one as nothing."""
    if isinstance(value, list):
        return value
    return [] if value in (None, "") else [value]


def _key(entry: dict[str, Any]) -> tuple[str, str]:
    return str(entry["app"]).upper(), _id(entry)


def _id(entry: dict[str, Any]) -> str:
    return str(entry.get("instanceId") or entry.get("hostName") or "")


def _callable(entry: dict[str, Any]) -> list[Instance]:
    """It under each of its names, if it is UP and takes calls without TLS, as all of ours are."""
    if entry.get("status") != UP:
        return []
    try:
        port = _port(entry.get("port"))
        return [_instance(entry, service, port) for service in _services(entry)] if port else []
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        log.debug("the instance %s cannot be read: %r", _id(entry), error)
        return []


def _port(value: Any) -> int:
    """0 when it is not enabled."""
    entry = value if isinstance(value, dict) else {"$": value}
    if str(entry.get("@enabled", True)).lower() != "true":
        return 0
    port = _whole(entry["$"])
    if not 0 < port <= LARGEST_PORT:
        raise ValueError(f"{port} is no port")
    return port


def _whole(value: Any) -> int:
    """Some write numbers as text, and some as 8080.0."""
    text = str(value).strip()
    return int(text) if text.lstrip("-").isdecimal() else int(float(text))


def _services(entry: dict[str, Any]) -> list[str]:
    """Spring's and Netflix's clients may register a list of names, separated by commas."""
    names = str(entry.get("vipAddress") or entry["app"]).lower().split(",")
    return list(dict.fromkeys(name for text in names if (name := text.strip())))


def _instance(entry: dict[str, Any], service: str, port: int) -> Instance:
    return Instance(
        id=_id(entry),
        service=service,
        host=str(entry["ipAddr"]).strip("[]"),
        port=port,
        since=_whole(entry.get("lastDirtyTimestamp") or 0),
        host_name=str(entry.get("hostName") or ""),
        metadata={name: str(value) for name, value in (entry.get("metadata") or {}).items()},
    )
