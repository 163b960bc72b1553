"""What goes out: leases and lists of them, in Eureka's JSON and XML."""

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

Document = Mapping[str, Any]
Found = Mapping[str, Sequence[bytes]]  # rendered instances by application


def instance(lease: Lease) -> Document:
    """The members of one instance, in the order and with the types that clients expect."""
    said = lease.instance
    texts = said.texts
    return {
        **({"instanceId": said.instance_id} if said.instance_id else {}),
        "hostName": said.host_name,
        "app": said.app,
        "ipAddr": said.ip_addr,
        "status": lease.status,
        "overriddenStatus": lease.overridden,
        "port": _port(said.port),
        "securePort": _port(said.secure_port),
        "countryId": said.country_id,
        "dataCenterInfo": _data_center(said.data_center),
        "leaseInfo": _lease_info(lease),
        "metadata": said.metadata or {"@class": EMPTY_MAP},
        **{key: texts[key] for key in BEFORE_TIMES if key in texts},
        "isCoordinatingDiscoveryServer": "false",
        "lastUpdatedTimestamp": str(lease.updated_at),
        "lastDirtyTimestamp": str(lease.last_dirty),
        "actionType": lease.action,
        **({"asgName": texts["asgName"]} if "asgName" in texts else {}),
    }


def _port(port: Port) -> Document:
    return {"$": port.number, "@enabled": "true" if port.enabled else "false"}


def _data_center(center: DataCenter) -> Document:
    metadata = {"metadata": center.metadata} if center.metadata else {}
    return {"@class": DATA_CENTERS[center.name], "name": center.name, **metadata}


def _lease_info(lease: Lease) -> Document:
    return {
        "renewalIntervalInSecs": lease.instance.renewal_seconds,
        "durationInSecs": lease.instance.duration_seconds,
        "registrationTimestamp": lease.registered_at,
        "lastRenewalTimestamp": lease.renewed_at,
        "evictionTimestamp": lease.evicted_at,
        "serviceUpTimestamp": lease.up_since,
    }


def compact(lease: Lease) -> Document:
    """What clients need that only look for addresses (`X-Eureka-Accept: compact`)."""
    return {key: value for key, value in instance(lease).items() if key in COMPACT}


def hash_code(leases: Iterable[Lease]) -> str:
    """How many instances have each status, as clients count them too: `DOWN_1_UP_2_`."""
    counts = Counter(lease.status for lease in leases)
    return "".join(f"{status}_{counts[status]}_" for status in sorted(counts))


@dataclass(frozen=True)
class JsonForm:
    compact: bool = False
    content_type: str = "application/json"

    def fragment(self, lease: Lease) -> bytes:
        return to_json(compact(lease) if self.compact else instance(lease))

    def instance(self, fragment: bytes) -> bytes:
        return b'{"instance":' + fragment + b"}"

    def application(self, name: str, fragments: Iterable[bytes]) -> bytes:
        return b'{"application":' + self._application(name, fragments) + b"}"

    def applications(self, version: int, hash_code: str, found: Found) -> bytes:
        head = f'{{"versions__delta":"{version}","apps__hashcode":"{hash_code}","application":['
        listed = b",".join(self._application(name, each) for name, each in found.items())
        return b'{"applications":' + head.encode() + listed + b"]}}"

    def _application(self, name: str, fragments: Iterable[bytes]) -> bytes:
        return b'{"name":' + to_json(name) + b',"instance":[' + b",".join(fragments) + b"]}"


@dataclass(frozen=True)
class XmlForm:
    compact: bool = False
    content_type: str = "application/xml"

    def fragment(self, lease: Lease) -> bytes:
        return to_xml("instance", compact(lease) if self.compact else instance(lease))

    def instance(self, fragment: bytes) -> bytes:
        return fragment

    def application(self, name: str, fragments: Iterable[bytes]) -> bytes:
        head = f"<application><name>{_text(name)}</name>".encode()
        return head + b"".join(fragments) + b"</application>"

    def applications(self, version: int, hash_code: str, found: Found) -> bytes:
        head = f"<versions__delta>{version}</versions__delta>"
        head += f"<apps__hashcode>{hash_code}</apps__hashcode>"
        listed = b"".join(self.application(name, each) for name, each in found.items())
        return b"<applications>" + head.encode() + listed + b"</applications>"


# A format, put together from instances that were rendered one by one.
Form = JsonForm | XmlForm


def to_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def to_xml(root: str, document: Document) -> bytes:
    parts: list[str] = []
    _element(parts, root, document)
    return "".join(parts).encode()


def _element(parts: list[str], name: str, value: Any) -> None:
    if isinstance(value, list):
        for each in value:
            _element(parts, name, each)
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


def _attributes(value: Document) -> str:
    return "".join(
        f" {key[1:]}={quoteattr(NOT_IN_XML.sub('', value[key]))}"
        for key in ATTRIBUTES
        if key in value
    )


def _tag(name: str) -> str:
    if name == "overriddenStatus":
        return "overriddenstatus"  # JSON and XML spell it differently
    return xml_names.escaped(name)


def _text(value: Any) -> str:
    text = str(value)
    if not (text.isascii() and text.isprintable()):
        text = NOT_IN_XML.sub("", text)
    return escape(text)
