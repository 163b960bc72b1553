"""Registrations as they come, in JSON or XML, made into an `Instance` or refused."""

import json
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.sax import SAXException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl

from defusedxml import DefusedXmlException
from defusedxml.sax import parseString

from discovery.eureka import xml_names
from discovery.registry.models import DATA_CENTERS, DataCenter, Instance, Port, Status

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


class Unreadable(Exception):
    """The body is not a registration at all."""


class Incomplete(Exception):
    """A registration lacks something or contradicts its address; the text says what."""


def parse_json(body: bytes) -> Mapping[str, Any]:
    """The instance in `body`; raises Unreadable."""
    return mapping(load_json(body).get("instance"))


def load_json(body: bytes) -> Mapping[str, Any]:
    """The object in `body`; raises Unreadable."""
    try:
        return mapping(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def parse_xml(body: bytes) -> Mapping[str, Any]:
    """The instance in `body`, in the shape of its JSON; raises Unreadable."""
    try:
        root = _tree(body)
    except (SAXException, DefusedXmlException, ValueError, LookupError) as error:
        raise Unreadable(str(error)) from error
    if root.tag != "instance":
        raise Unreadable(f"<{root.tag}> where <instance> belongs")
    return {child.tag: _plain(child) for child in root}


class _Builder(ContentHandler):
    def __init__(self) -> None:
        super().__init__()
        self._tree = TreeBuilder()

    def startElement(self, name: str, attrs: AttributesImpl) -> None:  # noqa: N802
        self._tree.start(xml_names.unescaped(name), dict(attrs))

    def endElement(self, name: str) -> None:  # noqa: N802
        self._tree.end(xml_names.unescaped(name))

    def characters(self, content: str) -> None:
        self._tree.data(content)

    def close(self) -> Element:
        return self._tree.close()


def _tree(body: bytes) -> Element:
    """Without namespaces, as at Netflix's: a colon is part of a metadata's name."""
    builder = _Builder()
    parseString(body, builder, forbid_dtd=True)
    return builder.close()


def _plain(element: Element) -> Any:
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


def instance(given: Mapping[str, Any], app: str) -> Instance:
    """The instance that `given` describes, registered under the path of `app`.

    Raises Unreadable for a value of the wrong type, Incomplete for one that is missing.
    """
    data_center = _data_center(given)
    found = Instance(
        app=(text(given, "app") or "").upper(),
        instance_id=text(given, "instanceId"),
        host_name=text(given, "hostName") or "",
        ip_addr=text(given, "ipAddr") or "",
        data_center=data_center or DataCenter(""),
        status=Status.of(text(given, "status") or "UP"),
        overridden=_overridden(given),
        port=_port(given, "port", Port(7001, enabled=True)),
        secure_port=_port(given, "securePort", Port(7002, enabled=False)),
        country_id=number(given, "countryId", 1),
        **_lease(given),
        metadata=_metadata(given),
        texts={key: said for key in OPTIONAL_TEXTS if (said := text(given, key))},
        last_dirty=timestamp(given, "lastDirtyTimestamp"),
    )
    _check(found, app.upper(), data_center)
    return found


def _check(found: Instance, app: str, data_center: DataCenter | None) -> None:
    required = {
        "instanceId": found.id,
        "hostname": found.host_name,
        "ip address": found.ip_addr,
        "appName": found.app,
    }
    for name, value in required.items():
        if not value.strip():
            raise Incomplete(f"Missing {name}")
    if found.app != app:
        raise Incomplete(f"Mismatched appName, expecting {app} but was {found.app}")
    if data_center is None:
        raise Incomplete("Missing dataCenterInfo")


def mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable("no object where one belongs")
    return value


def _scalar(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Unreadable("a list or an object where a text belongs")


def text(given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    return None if value is None else _scalar(value) or None


def number(given: Mapping[str, Any], key: str, default: int, largest: int = MAX_INT) -> int:
    said = text(given, key)
    if said is None:
        return default
    try:
        found = int(said)
    except ValueError as error:
        raise Unreadable(f"{key} is no number") from error
    if not -largest <= found <= largest:
        raise Unreadable(f"{key} is out of range")
    return found


def timestamp(given: Mapping[str, Any], key: str) -> int | None:
    """Milliseconds; None for what is missing or not after 1970."""
    milliseconds = number(given, key, 0, MAX_LONG)
    return milliseconds if milliseconds > 0 else None


def _port(given: Mapping[str, Any], key: str, default: Port) -> Port:
    value = given.get(key)
    if value is None:
        return default
    port = value if isinstance(value, dict) else {"$": value}
    enabled = text(port, "@enabled")
    return Port(
        number(port, "$", default.number),
        default.enabled if enabled is None else enabled.lower() == "true",
    )


def _overridden(given: Mapping[str, Any]) -> Status:
    # The name is spelled differently in the two formats, and registrations mix them.
    said = text(given, "overriddenstatus") or text(given, "overriddenStatus")
    return Status.of(said or "UNKNOWN")


def _lease(given: Mapping[str, Any]) -> dict[str, Any]:
    info = mapping(given.get("leaseInfo") or {})
    renewal, duration = (
        number(info, "renewalIntervalInSecs", 0),
        number(info, "durationInSecs", 0),
    )
    return {
        "renewal_seconds": renewal if renewal > 0 else 30,
        "duration_seconds": duration if duration > 0 else 90,
    }


def _metadata(given: Mapping[str, Any]) -> dict[str, str]:
    entries = mapping(given.get("metadata") or {})
    return {
        key: _scalar(value)
        for key, value in entries.items()
        if value is not None and key not in ("@class", "$")
    }


def _data_center(given: Mapping[str, Any]) -> DataCenter | None:
    if given.get("dataCenterInfo") is None:
        return None
    info = mapping(given["dataCenterInfo"])
    name = text(info, "name")
    if name is None:
        raise Incomplete("Missing dataCenterInfo Name")
    if name not in DATA_CENTERS:
        # Netflix's clients know three names, and would fail at the whole list over a fourth.
        raise Unreadable(f"no data center {name}")
    return DataCenter(name, _metadata(info))
