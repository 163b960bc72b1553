"""A copy of the registry, kept up to date by what has changed since it was made."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv6Address
from types import MappingProxyType
from typing import Any

UP = "UP"
DELETED = "DELETED"


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
        """Take over the whole list.  ValueError or KeyError when it is none."""
        self._entries = {_key(entry): entry for entry in _entries(document)}
        self.version += 1

    def change(self, document: dict[str, Any]) -> bool:
        """Take over a delta; False when this copy is another than the server's all the same."""
        self.version += 1
        for entry in _entries(document):
            if entry.get("actionType") == DELETED:
                self._entries.pop(_key(entry), None)
            else:
                self._entries[_key(entry)] = entry
        return bool(document["applications"]["apps__hashcode"] == self._hash_code())

    def knows(self, app: str, instance_id: str) -> bool:
        return (app.upper(), instance_id) in self._entries

    def snapshot(self) -> Snapshot:
        """Whoever is UP and can be called from here, by each name under which it is called."""
        services: dict[str, list[Instance]] = {}
        for entry in self._entries.values():
            if entry["status"] == UP and _is_plain(entry):
                for service in _services(entry):
                    services.setdefault(service, []).append(_instance(entry, service))
        return MappingProxyType({name: tuple(instances) for name, instances in services.items()})

    def _hash_code(self) -> str:
        numbers = Counter(entry["status"] for entry in self._entries.values())
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
    applications = document["applications"]["application"]
    return [entry for application in applications for entry in application["instance"]]


def _key(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["app"].upper(), entry.get("instanceId") or entry["hostName"]


def _is_plain(entry: dict[str, Any]) -> bool:
    """Whether it takes calls without TLS, which all of ours are."""
    return str(entry["port"].get("@enabled", True)).lower() == "true"


def _services(entry: dict[str, Any]) -> list[str]:
    """Spring's and Netflix's clients may register a list of names, separated by commas."""
    names = (entry.get("vipAddress") or entry["app"]).lower().split(",")
    return list(dict.fromkeys(name for text in names if (name := text.strip())))


def _instance(entry: dict[str, Any], service: str) -> Instance:
    return Instance(
        id=entry.get("instanceId") or entry["hostName"],
        service=service,
        host=entry["ipAddr"].strip("[]"),
        port=int(entry["port"]["$"]),
        since=int(entry.get("lastDirtyTimestamp") or 0),
        host_name=str(entry.get("hostName") or ""),
        metadata={name: str(value) for name, value in (entry.get("metadata") or {}).items()},
    )
