"""What discovery cannot read or does not have is answered as by Netflix's server."""

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ({"hostName": None}, "Missing hostname"),
        ({"ipAddr": None}, "Missing ip address"),
        ({"dataCenterInfo": None}, "Missing dataCenterInfo"),
        ({"instanceId": None, "hostName": None}, "Missing instanceId"),
    ],
)
def test_a_missing_field_is_named(discovery: Any, missing: dict[str, None], text: str) -> None:
    answer = discovery.register(**missing)

    assert (answer.status_code, answer.text) == (400, text)
    assert discovery.names() == []


def test_a_body_for_another_application_than_the_path_is_rejected(discovery: Any) -> None:
    body = {
        "instance": {
            "app": "b",
            "hostName": "h",
            "ipAddr": "1",
            "dataCenterInfo": {"name": "MyOwn"},
        }
    }

    refused = discovery.call("POST", "/apps/A", json=body)
    taken = discovery.call("POST", "/apps/B", json=body)

    assert refused.text == "Mismatched appName, expecting A but was B"
    assert (refused.status_code, taken.status_code) == (400, 204)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"no json",
        b"[" * 50_000,
        b"\xff\xfe",
        b'{"hostName": "h"}',
        b'{"instance": []}',
        b'{"instance": {"port": {"$": "abc"}}}',
        b'{"instance": {"hostName": {}}}',
        b'{"instance": {"metadata": [1]}}',
        b'{"instance": {"leaseInfo": {"durationInSecs": 1e999}}}',
    ],
)
def test_a_body_that_is_not_a_registration_is_rejected(discovery: Any, body: bytes) -> None:
    answer = discovery.call(
        "POST", "/apps/PROBE", data=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400
    assert answer.json() == {"error": "cannot parse request body"}


@pytest.mark.parametrize(
    "body",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><instance>&b;</instance>',
        '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><instance>&b;</instance>',
        "<application/>",
        "<instance>",
        '<?xml version="1.0" encoding="no-such"?><instance/>',
    ],
)
def test_xml_with_entities_or_errors_is_rejected(discovery: Any, body: str) -> None:
    answer = discovery.call(
        "POST", "/apps/PROBE", data=body, headers={"Content-Type": "application/xml"}
    )

    assert answer.status_code == 400


def test_another_content_type_is_answered_415_and_a_large_body_413(discovery: Any) -> None:
    text = discovery.call("POST", "/apps/A", data="x", headers={"Content-Type": "text/plain"})
    large = discovery.register(metadata={"long": "x" * 100_000})

    assert (text.status_code, text.content) == (415, b"")
    assert (large.status_code, large.content) == (413, b"")


def test_a_browser_is_answered_406_and_another_verb_405_with_allow(discovery: Any) -> None:
    browser = discovery.get("/apps", accept="text/html")
    verb = discovery.put("/apps")

    assert (browser.status_code, browser.content) == (406, b"")
    assert (verb.status_code, verb.content) == (405, b"")
    assert "GET" in verb.headers["Allow"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/apps/NONE"),
        ("GET", "/apps/NONE/x"),
        ("GET", "/instances/x"),
        ("PUT", "/apps/NONE/x"),
        ("DELETE", "/apps/NONE/x"),
        ("PUT", "/apps/NONE/x/status?value=DOWN"),
        ("DELETE", "/apps/NONE/x/status"),
        ("PUT", "/apps/NONE/x/metadata?a=b"),
        ("GET", "/nothing"),
    ],
)
def test_unknown_paths_and_instances_are_answered_404_without_a_body(
    discovery: Any, method: str, path: str
) -> None:
    answer = discovery.call(method, path)

    assert (answer.status_code, answer.content) == (404, b"")
    assert answer.headers["Content-Length"] == "0"


def test_an_override_without_a_status_is_answered_as_the_real_server_does(discovery: Any) -> None:
    discovery.register()

    answers = [
        discovery.put(f"/apps/PROBE/h:probe:1/status{query}") for query in ("", "?value=ILL")
    ]

    assert [(answer.status_code, answer.content) for answer in answers] == [(500, b"")] * 2
