"""Compact instances, packed bodies both ways, and bodies that were sent to do harm."""

import gzip
import json
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

from .conftest import registration

COMPACT = {
    "instanceId",
    "hostName",
    "app",
    "ipAddr",
    "status",
    "port",
    "securePort",
    "dataCenterInfo",
    "vipAddress",
    "lastUpdatedTimestamp",
    "actionType",
}
LISTS = ["/apps", "/apps/delta", "/apps/PROBE", "/vips/probe"]


def compact(discovery: Any, path: str, accept: str) -> requests.Response:
    headers = {"Accept": accept, "X-Eureka-Accept": "compact"}
    answer: requests.Response = discovery.call("GET", path, headers=headers)
    return answer


@pytest.mark.parametrize("path", LISTS)
def test_a_compact_list_has_the_fields_that_a_caller_needs(discovery: Any, path: str) -> None:
    discovery.register(metadata={"zone": "a"}, homePageUrl="http://h/")

    document = compact(discovery, path, "application/json").json()
    application = document.get("application") or document["applications"]["application"][0]
    root = ElementTree.fromstring(compact(discovery, path, "application/xml").content)

    assert set(application["instance"][0]) == COMPACT
    assert {child.tag for child in next(root.iter("instance"))} == COMPACT


def test_a_single_instance_is_never_compact_nor_is_a_list_without_the_header(
    discovery: Any,
) -> None:
    discovery.register()

    one = compact(discovery, "/apps/PROBE/h:probe:1", "application/json").json()["instance"]
    compact(discovery, "/apps", "application/json")

    assert "metadata" in one
    assert "leaseInfo" in discovery.get("/apps").text


# Captured from the real server, but for the colon and the umlaut, which it writes as they are.
NAMES_IN_XML = {
    "a_b": "a__b",
    "_x0041_": "__x0041__",
    "$e": "_-e",
    "c d": "c_.0020d",
    "9f": "_.0039f",
    "-a": "_.002da",
    "q²": "q_.00b2",
    "😀": "_.d83d_.de00",
    "x:y": "x_.003ay",
    "ü": "_.00fc",
    "key.with-both": "key.with-both",
}
IN_XML = (
    "<instance><instanceId>p</instanceId><hostName>h</hostName><app>PROBE</app><ipAddr>1</ipAddr>"
    "<dataCenterInfo><name>MyOwn</name></dataCenterInfo><metadata>{}</metadata></instance>"
)


def test_names_of_metadata_are_escaped_in_xml_as_the_real_server_does(discovery: Any) -> None:
    discovery.register(metadata=dict.fromkeys(NAMES_IN_XML, "v"))

    root = ElementTree.fromstring(discovery.get("/apps", accept="application/xml").content)

    metadata = next(root.iter("metadata"))
    assert [child.tag for child in metadata] == list(NAMES_IN_XML.values())


@pytest.mark.parametrize(
    ("name", "in_xml"),
    [*NAMES_IN_XML.items(), ("x:y", "x:y"), ("ü", "ü"), ("p_q", "p_q"), ("a__-b", "a____-b")],
)
def test_names_of_metadata_in_an_xml_registration_are_unescaped(
    discovery: Any, name: str, in_xml: str
) -> None:
    body = IN_XML.format(f"<{in_xml}>v</{in_xml}>").encode()

    answer = discovery.call(
        "POST", "/apps/PROBE", data=body, headers={"Content-Type": "application/xml"}
    )

    assert answer.status_code == 204
    instance = discovery.get("/apps/PROBE/p").json()["instance"]
    assert instance["metadata"] == {name: "v"}


@pytest.mark.parametrize("in_xml", ["_.00zz", "_.12", "x_."])
def test_an_invalid_xstream_escape_is_rejected(discovery: Any, in_xml: str) -> None:
    body = IN_XML.format(f"<{in_xml}>v</{in_xml}>")

    answer = discovery.call(
        "POST", "/apps/PROBE", data=body, headers={"Content-Type": "application/xml"}
    )

    assert answer.status_code == 400


@pytest.mark.parametrize("path", [*LISTS, "/apps/PROBE/h:probe:1"])
@pytest.mark.parametrize("accept", ["application/json", "application/xml"])
def test_every_document_comes_compressed_on_request(discovery: Any, path: str, accept: str) -> None:
    discovery.register()
    headers = {"Accept": accept}

    packed = discovery.call("GET", path, headers={**headers, "Accept-Encoding": "gzip"})
    plain = discovery.call("GET", path, headers={**headers, "Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", json.dumps(registration("p", "PROBE"))),
        (
            "application/xml",
            "<instance><instanceId>p</instanceId><hostName>h</hostName><app>PROBE</app>"
            "<ipAddr>1</ipAddr><dataCenterInfo><name>MyOwn</name></dataCenterInfo></instance>",
        ),
    ],
)
def test_a_compressed_registration_is_accepted(discovery: Any, kind: str, body: str) -> None:
    answer = discovery.call(
        "POST",
        "/apps/PROBE",
        data=gzip.compress(body.encode()),
        headers={"Content-Type": kind, "Content-Encoding": "gzip"},
    )

    assert answer.status_code == 204
    assert discovery.ids() == {"p"}


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "application/json"}, b'{"instance": {"app": "' + b"x" * 10_000_000),
        (
            {"Content-Type": "application/json", "Content-Encoding": "gzip"},
            gzip.compress(b" " * 50_000_000),
        ),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, b"not packed"),
        ({"Content-Type": "application/xml"}, f"{LAUGHS}]><instance>&i;</instance>".encode()),
        (
            {"Content-Type": "application/xml"},
            b'<!DOCTYPE i SYSTEM "http://127.0.0.1:1/x.dtd"><instance/>',
        ),
        ({"Content-Type": "application/xml"}, b"<instance>" * 6_000),
        ({"Content-Type": "application/json"}, b'{"instance": ' * 4_000),
        ({"Content-Type": "application/json"}, b'{"instance": {"port": {"$": 99999999999}}}'),
        ({"Content-Type": "application/json"}, b'{"instance": {"leaseInfo": [1]}}'),
        ({"Content-Type": "application/json"}, b'{"instance": {"app": "OTHER"}}'),
    ],
)
def test_harmful_bodies_are_rejected_and_the_next_request_works(
    discovery: Any, headers: dict[str, str], body: bytes
) -> None:
    discovery.register("before")

    try:
        refused = discovery.call("POST", "/apps/PROBE", data=body, headers=headers)
    except requests.ConnectionError:
        pass  # it was ended while it still sent; the answer may be lost with the connection
    else:
        assert 400 <= refused.status_code < 500

    assert discovery.register("after").status_code == 204
    assert discovery.ids() == {"before", "after"}


def test_a_slash_at_the_end_changes_nothing(discovery: Any) -> None:
    discovery.register()

    paths = ["/apps/", "/apps/delta/", "/apps/PROBE/", "/apps/PROBE/h:probe:1/", "/vips/probe/"]

    assert [discovery.get(path).status_code for path in paths] == [200] * len(paths)
    assert discovery.put("/apps/PROBE/h:probe:1/").status_code == 200
