"""Leases and lists of them, rendered in Eureka's JSON and XML."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from discovery.eureka import xml_names
from discovery.registry.models import DATA_CENTERS, DataCenter, Lease, Port

EMPTY_MAP = "java.util.Collections$EmptyMap"
BEFORE_TIMES = (
    "appGroupName",
    "homePageUrl",
    "statusPageUrl",
    "healthCheckUrl",
    "secureHealthCheckUrl",
    "vipAddress",
    "secureVipAddress",
)
ATTRIBUTES = ("@class", "@enabled")
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# What Netflix's server leaves in a compact instance.
COMPACT = frozenset(
    (
        "instanceId",
        "hostName",
        "app",
        "ipAddr",
        "status",
        "port",
        "securePort",
        "dataCenterInfo",
        "vipAddress",
        "secureVipAddress",
        "lastUpdatedTimestamp",
        "actionType",
        "asgName",
    )
)

JsonObject = Mapping[str, Any]
RenderedInstances = Mapping[str, Sequence[bytes]]  # rendered instances by application


def instance(lease: Lease) -> JsonObject:
    """The members of one instance, in the order and with the types that clients expect."""
    info = lease.instance
    texts = info.texts
    return {
        **({"instanceId": info.instance_id} if info.instance_id else {}),
        "hostName": info.host_name,
        "app": info.app,
        "ipAddr": info.ip_addr,
        "status": lease.status,
        "overriddenStatus": lease.overridden,
        "port": _port(info.port),
        "securePort": _port(info.secure_port),
        "countryId": info.country_id,
        "dataCenterInfo": _data_center(info.data_center),
        "leaseInfo": _lease_info(lease),
        "metadata": info.metadata or {"@class": EMPTY_MAP},
        **{key: texts[key] for key in BEFORE_TIMES if key in texts},
        "isCoordinatingDiscoveryServer": "false",
        "lastUpdatedTimestamp": str(lease.updated_at),
        "lastDirtyTimestamp": str(lease.last_dirty),
        "actionType": lease.action,
        **({"asgName": texts["asgName"]} if "asgName" in texts else {}),
    }


def _port(port: Port) -> JsonObject:
    return {"$": port.number, "@enabled": "true" if port.enabled else "false"}


def _data_center(center: DataCenter) -> JsonObject:
    metadata = {"metadata": center.metadata} if center.metadata else {}
    return {"@class": DATA_CENTERS[center.name], "name": center.name, **metadata}


def _lease_info(lease: Lease) -> JsonObject:
    return {
        "renewalIntervalInSecs": lease.instance.renewal_seconds,
        "durationInSecs": lease.instance.duration_seconds,
        "registrationTimestamp": lease.registered_at,
        "lastRenewalTimestamp": lease.renewed_at,
        "evictionTimestamp": lease.evicted_at,
        "serviceUpTimestamp": lease.up_since,
    }


def compact(lease: Lease) -> JsonObject:
    """What clients need that only look for addresses (`X-Eureka-Accept: compact`)."""
    return {key: value for key, value in instance(lease).items() if key in COMPACT}


def hash_code(leases: Iterable[Lease]) -> str:
    """How many instances have each status, as clients count them too: `DOWN_1_UP_2_`."""
    counts = Counter(lease.status for lease in leases)
    return "".join(f"{status}_{counts[status]}_" for status in sorted(counts))


@dataclass(frozen=True)
class JsonRenderer:
    compact: bool = False
    content_type: str = "application/json"

    def fragment(self, lease: Lease) -> bytes:
        return to_json(compact(lease) if self.compact else instance(lease))

    def instance(self, fragment: bytes) -> bytes:
        return b'{"instance":' + fragment + b"}"

    def application(self, name: str, fragments: Iterable[bytes]) -> bytes:
        return b'{"application":' + self._application(name, fragments) + b"}"

    def applications(self, version: int, hash_code: str, rendered: RenderedInstances) -> bytes:
        head = f'{{"versions__delta":"{version}","apps__hashcode":"{hash_code}","application":['
        listed = b",".join(
            self._application(name, fragments) for name, fragments in rendered.items()
        )
        return b'{"applications":' + head.encode() + listed + b"]}}"

    def _application(self, name: str, fragments: Iterable[bytes]) -> bytes:
        return b'{"name":' + to_json(name) + b',"instance":[' + b",".join(fragments) + b"]}"


@dataclass(frozen=True)
class XmlRenderer:
    compact: bool = False
    content_type: str = "application/xml"

    def fragment(self, lease: Lease) -> bytes:
        return to_xml("instance", compact(lease) if self.compact else instance(lease))

    def instance(self, fragment: bytes) -> bytes:
        return fragment

    def application(self, name: str, fragments: Iterable[bytes]) -> bytes:
        head = f"<application><name>{_text(name)}</name>".encode()
        return head + b"".join(fragments) + b"</application>"

    def applications(self, version: int, hash_code: str, rendered: RenderedInstances) -> bytes:
        head = f"<versions__delta>{version}</versions__delta>"
        head += f"<apps__hashcode>{hash_code}</apps__hashcode>"
        listed = b"".join(self.application(name, fragments) for name, fragments in rendered.items())
        return b"<applications>" + head.encode() + listed + b"</applications>"


# A list in one format is joined from instances that were rendered one by one.
Renderer = JsonRenderer | XmlRenderer


def to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def to_xml(root: str, document: JsonObject) -> bytes:
    parts: list[str] = []
    _element(parts, root, document)
    return "".join(parts).encode()


def _element(parts: list[str], name: str, value: Any) -> None:
    if isinstance(value, list):
        for item in value:
            _element(parts, name, item)
        return
    tag = _tag(name)
    if not isinstance(value, Mapping):
        parts.append(f"<{tag}>{_text(value)}</{tag}>")
        return
    parts.append(f"<{tag}{_attributes(value)}>")
    for key, child in value.items():
        if key == "$":
            parts.append(_text(child))
        elif key not in ATTRIBUTES:
            _element(parts, key, child)
    parts.append(f"</{tag}>")


def _attributes(value: JsonObject) -> str:
    return "".join(
        f" {key[1:]}={quoteattr(NOT_IN_XML.sub('', value[key]))}"
        for key in ATTRIBUTES
        if key in value
    )


def _tag(name: str) -> str:
    if name == "overriddenStatus":
        return "overriddenstatus"  # JSON and XML spell it differently
    return xml_names.escape_name(name)


def _text(value: Any) -> str:
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        text = NOT_IN_XML.sub("", text)
    return escape(text)
