"""Registrations in Eureka's JSON or XML, parsed and validated into an `InstanceInfo`.

Values of another type than expected are taken as Netflix's server takes them: there are clients
that know no numbers but doubles.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml import DefusedXmlException
from defusedxml.sax import parseString

from discovery.eureka import xml_names
from discovery.registry.models import DATA_CENTERS, DataCenter, InstanceInfo, InstanceStatus, Port

OPTIONAL_TEXTS = (
    "appGroupName",
    "homePageUrl",
    "statusPageUrl",
    "healthCheckUrl",
    "secureHealthCheckUrl",
    "vipAddress",
    "secureVipAddress",
    "asgName",
)
MAX_INT, MAX_LONG = 2**31 - 1, 2**63 - 1
NUMBER = re.compile(r"[-+]?(?:[0-9]{1,40}(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?", re.ASCII)
INTEGER = re.compile(r"[-+]?[0-9]{1,40}", re.ASCII)


class MalformedDocument(Exception):
    """The body cannot be parsed, or a value in it has the wrong type."""


class IncompleteRegistration(Exception):
    """A registration lacks something or contradicts its address; the text says what."""


def parse_json(body: bytes) -> Mapping[str, Any]:
    """The instance in `body`; raises MalformedDocument."""
    return mapping(load_json(body).get("instance"))


def load_json(body: bytes) -> Mapping[str, Any]:
    """The object in `body`; raises MalformedDocument."""
    try:
        return mapping(json.loads(body, parse_constant=_refuse))
    except (ValueError, RecursionError) as error:
        raise MalformedDocument(str(error)) from error


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def parse_xml(body: bytes) -> Mapping[str, Any]:
    """The instance in `body`, in the shape of its JSON; raises MalformedDocument."""
    try:
        root = _tree(body)
    except (SAXException, DefusedXmlException, ValueError, LookupError) as error:
        raise MalformedDocument(str(error)) from error
    if root.tag != "instance":
        raise MalformedDocument(f"<{root.tag}> where <instance> belongs")
    return {storable(child.tag): _as_json(child) for child in root}


class _TreeBuilder(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self._tree = TreeBuilder()

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self._tree.start(xml_names.unescape_name(name), dict(attrs))

    def endElement(self, name: str) -> None:  # noqa: N802
        self._tree.end(xml_names.unescape_name(name))

    def characters(self, content: str) -> None:
        self._tree.data(content)

    def close(self) -> Element:
        return self._tree.close()


def _tree(body: bytes) -> Element:
    """Without namespaces, as at Netflix's: a colon is part of a metadata's name."""
    builder = _TreeBuilder()
    parseString(body, builder, forbid_dtd=True)
    return builder.close()


def _as_json(element: Element) -> Any:
    attributes = {f"@{name}": value for name, value in element.attrib.items()}
    if len(element):
        # No deeper: nothing in a registration is.
        return attributes | {
            child.tag: {grandchild.tag: grandchild.text or "" for grandchild in child}
            if len(child)
            else child.text or ""
            for child in element
        }
    text = (element.text or "").strip()
    return {"$": text, **attributes} if attributes else text


def parse_instance(document: Mapping[str, Any], app: str) -> InstanceInfo:
    """The instance that `document` describes, registered under the path of `app`.

    Raises MalformedDocument for a value of the wrong type, and IncompleteRegistration for one that
    is missing.
    """
    data_center = _data_center(document)
    instance = InstanceInfo(
        app=(text(document, "app") or "").upper(),
        instance_id=text(document, "instanceId"),
        host_name=text(document, "hostName") or "",
        ip_addr=text(document, "ipAddr") or "",
        data_center=data_center or DataCenter(""),
        status=InstanceStatus.of(text(document, "status") or "UP"),
        overridden=_overridden(document),
        port=_port(document, "port", Port(7001, enabled=True)),
        secure_port=_port(document, "securePort", Port(7002, enabled=False)),
        country_id=number(document, "countryId", 1),
        **_lease(document),
        metadata=_metadata(document),
        texts={key: value for key in OPTIONAL_TEXTS if (value := text(document, key))},
        last_dirty=timestamp(document, "lastDirtyTimestamp"),
    )
    _check(instance, app.upper(), data_center)
    return instance


def _check(instance: InstanceInfo, app: str, data_center: DataCenter | None) -> None:
    required = {
        "instanceId": instance.id,
        "hostname": instance.host_name,
        "ip address": instance.ip_addr,
        "appName": instance.app,
    }
    for name, value in required.items():
        if not value.strip():
            raise IncompleteRegistration(f"Missing {name}")
    if instance.app != app:
        raise IncompleteRegistration(f"Mismatched appName, expecting {app} but was {instance.app}")
    if data_center is None:
        raise IncompleteRegistration("Missing dataCenterInfo")


def mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise MalformedDocument("no object where one belongs")
    return value


def items(value: Any) -> list[Any]:
    """What stands where a list belongs: some servers write one of one element as the element."""
    if isinstance(value, list):
        return value
    return [] if value in (None, "") else [value]


def storable(value: str) -> str:
    """`value` with ? for each half of a character, as Netflix's server writes it.

    One that came back as `\\ud800` would make the whole list unreadable for strict parsers.
    """
    return value if value.isascii() else value.encode(errors="replace").decode()


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, int | float):
        return str(value)
    raise MalformedDocument("a list or an object where a text belongs")


def text(document: Mapping[str, Any], key: str) -> str | None:
    value = document.get(key)
    return None if value is None else _scalar(value) or None


def number(document: Mapping[str, Any], key: str, default: int, largest: int = MAX_INT) -> int:
    value = document.get(key)
    if value is None:
        return default
    parsed = int(value) if isinstance(value, bool) else whole(_scalar(value))
    if parsed is None:
        raise MalformedDocument(f"{key} is no number")
    if not -largest - 1 <= parsed <= largest:
        raise MalformedDocument(f"{key} is out of range")
    return parsed


def whole(text: str) -> int | None:
    """The whole part of a number, 0 for nothing, None for what is none."""
    stripped = text.strip()
    if not stripped or INTEGER.fullmatch(stripped):
        return int(stripped or 0)
    if not NUMBER.fullmatch(stripped):
        return None
    try:
        return int(float(stripped))
    except OverflowError:  # infinite
        return None


def timestamp(document: Mapping[str, Any], key: str) -> int | None:
    """Milliseconds; None for what is missing or not after 1970."""
    milliseconds = number(document, key, 0, MAX_LONG)
    return milliseconds if milliseconds > 0 else None


def _port(document: Mapping[str, Any], key: str, default: Port) -> Port:
    value = document.get(key)
    if value is None:
        return default
    port = value if isinstance(value, dict) else {"$": value}
    enabled = text(port, "@enabled")
    return Port(
        number(port, "$", default.number),
        default.enabled if enabled is None else enabled.lower() in ("true", "1", "1.0"),
    )


def _overridden(document: Mapping[str, Any]) -> InstanceStatus:
    # The name is spelled differently in the two formats, and registrations mix them.
    value = text(document, "overriddenstatus") or text(document, "overriddenStatus")
    return InstanceStatus.of(value or "UNKNOWN")


def _lease(document: Mapping[str, Any]) -> dict[str, Any]:
    info = mapping(document.get("leaseInfo") or {})
    renewal, duration = (
        number(info, "renewalIntervalInSecs", 0),
        number(info, "durationInSecs", 0),
    )
    return {
        "renewal_seconds": renewal if renewal > 0 else 30,
        "duration_seconds": duration if duration > 0 else 90,
    }


def _metadata(document: Mapping[str, Any]) -> dict[str, str]:
    entries = mapping(document.get("metadata") or {})
    return {
        storable(key): "null" if value is None else _scalar(value)
        for key, value in entries.items()
        if key not in ("@class", "$")
    }


def _data_center(document: Mapping[str, Any]) -> DataCenter | None:
    if document.get("dataCenterInfo") is None:
        return None
    info = mapping(document["dataCenterInfo"])
    name = text(info, "name")
    if name is None:
        raise IncompleteRegistration("Missing dataCenterInfo Name")
    if name not in DATA_CENTERS:
        # Netflix's clients know three names, and would fail at the whole list over a fourth.
        raise MalformedDocument(f"no data center {name}")
    return DataCenter(name, _metadata(info))
