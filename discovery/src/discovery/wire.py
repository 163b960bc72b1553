"""What goes out: leases and lists of them, in Eureka's JSON and XML."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from discovery.models import DATA_CENTERS, DataCenter, Lease, Port

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
NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NOT_IN_A_NAME = re.compile(r"[^\w.-]|^[^a-zA-Z_]", re.ASCII)

Document = Mapping[str, Any]


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


def application(name: str, leases: Iterable[Lease]) -> Document:
    return {"name": name, "instance": [instance(lease) for lease in leases]}


def applications(
    found: Mapping[str, Sequence[Lease]], version: int, counted: Iterable[Lease]
) -> Document:
    """The list `found`, with the hash code of `counted`."""
    return {
        "versions__delta": str(version),
        "apps__hashcode": hash_code(counted),
        "application": [application(name, leases) for name, leases in found.items()],
    }


def hash_code(leases: Iterable[Lease]) -> str:
    """How many instances have each status, as clients count them too: `DOWN_1_UP_2_`."""
    counts = Counter(lease.status for lease in leases)
    return "".join(f"{status}_{counts[status]}_" for status in sorted(counts))


def to_json(root: str, document: Document) -> bytes:
    return json.dumps({root: document}, separators=(",", ":")).encode()


def to_xml(root: str, document: Document) -> bytes:
    return "".join(_element(root, document)).encode()


def _element(name: str, value: Any) -> Iterable[str]:
    if isinstance(value, list):
        for each in value:
            yield from _element(name, each)
        return
    tag = _tag(name)
    if not isinstance(value, Mapping):
        yield f"<{tag}>{_text(value)}</{tag}>"
        return
    yield f"<{tag}{_attributes(value)}>"
    for key, child in value.items():
        if key == "$":
            yield _text(child)
        elif key not in ("@class", "@enabled"):
            yield from _element(key, child)
    yield f"</{tag}>"


def _attributes(value: Document) -> str:
    return "".join(
        f" {key[1:]}={quoteattr(NOT_IN_XML.sub('', value[key]))}"
        for key in ("@class", "@enabled")
        if key in value
    )


def _tag(name: str) -> str:
    if name == "overriddenStatus":
        return "overriddenstatus"  # JSON and XML spell it differently
    # One instance's odd metadata key must not make the list unreadable for everybody.
    return NOT_IN_A_NAME.sub(lambda match: f"_x{ord(match.group()):04X}_", name) or "_"


def _text(value: Any) -> str:
    return escape(NOT_IN_XML.sub("", str(value)))
