"""What a replica of Netflix's server sends, and how it is answered."""

from typing import Any
from xml.etree import ElementTree

import pytest

from .conftest import registration

REPLICA = {"x-netflix-discovery-replication": "true"}
PATH = "/apps/PROBE/h:probe:1"


def member(action: str, **more: Any) -> dict[str, Any]:
    return {"appName": "PROBE", "id": "h:probe:1", "action": action, **more}


def registered(last_dirty: int = 1000, **more: Any) -> dict[str, Any]:
    info = registration("h:probe:1", "PROBE", lastDirtyTimestamp=str(last_dirty), **more)
    return member("Register", lastDirtyTimestamp=last_dirty, instanceInfo=info["instance"])


def test_a_batch_is_answered_member_by_member(discovery: Any) -> None:
    answer = discovery.call(
        "POST",
        "/peerreplication/batch/",
        json={
            "replicationList": [
                registered(),
                member("Heartbeat", lastDirtyTimestamp=1000, status="UP"),
                member("StatusUpdate", lastDirtyTimestamp=1000, status="OUT_OF_SERVICE"),
                {"appName": "NONE", "id": "x", "action": "Heartbeat"},
                {"action": "none"},
                member("DeleteStatusOverride", lastDirtyTimestamp=1000, status="UP"),
                member("Cancel"),
                member("Cancel"),
            ]
        },
        headers={"Accept": "application/json"},
    )

    answers = answer.json()["responseList"]
    assert [member["statusCode"] for member in answers] == [200, 200, 200, 404, 400, 200, 200, 404]


def test_a_batch_is_answered_in_xml_unless_accept_names_json(discovery: Any) -> None:
    answer = discovery.replicate(registered())

    root = ElementTree.fromstring(answer.content)

    assert answer.headers["Content-Type"] == "application/xml"
    assert root.tag.endswith("ReplicationListResponse")
    assert [element.text for element in root.iter("statusCode")] == ["200"]


def test_a_heartbeat_with_an_older_timestamp_is_answered_with_the_newer_instance(
    discovery: Any,
) -> None:
    discovery.replicate(registered(2000, metadata={"version": "2"}))

    answer = discovery.call(
        "POST",
        "/peerreplication/batch",
        json={"replicationList": [member("Heartbeat", lastDirtyTimestamp=1000)]},
        headers={"Accept": "application/json"},
    )

    (answered,) = answer.json()["responseList"]
    assert answered["statusCode"] == 409
    assert answered["responseEntity"]["metadata"] == {"version": "2"}
    single = discovery.call("PUT", f"{PATH}?lastDirtyTimestamp=1000", headers=REPLICA)
    assert single.status_code == 409
    assert single.json()["instance"]["lastDirtyTimestamp"] == "2000"


def test_a_replica_may_replicate_by_single_requests(discovery: Any) -> None:
    def call(method: str, path: str, **options: Any) -> tuple[int, bytes]:
        answer = discovery.call(method, path, headers=REPLICA, **options)
        return answer.status_code, answer.content

    body = registration("h:probe:1", "PROBE", lastDirtyTimestamp="1000")

    assert call("POST", "/apps/PROBE", json=body) == (204, b"")
    assert call("PUT", f"{PATH}?lastDirtyTimestamp=1000") == (200, b"")
    assert call("PUT", f"{PATH}?lastDirtyTimestamp=2000") == (404, b"")
    assert call("PUT", f"{PATH}/status?value=DOWN&lastDirtyTimestamp=1000") == (200, b"")
    assert discovery.instance(PATH)["status"] == "DOWN"
    assert call("DELETE", f"{PATH}/status?value=UP&lastDirtyTimestamp=1000") == (200, b"")
    assert discovery.instance(PATH)["status"] == "UP"
    assert call("DELETE", PATH) == (200, b"")
    assert call("DELETE", PATH) == (404, b"")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"replicationList": {}}', b'{"replicationList": [' * 20_000]
)
def test_a_body_that_is_not_a_batch_is_rejected(discovery: Any, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}

    refused = discovery.call("POST", "/peerreplication/batch/", data=body, headers=headers)

    assert refused.status_code == 400


def test_a_batch_may_be_larger_than_one_registration_but_is_limited(discovery: Any) -> None:
    large = [
        registration(f"h:{number}", "PROBE", metadata={"long": "x" * 10_000})["instance"]
        for number in range(100)
    ]
    members = [member("Register", instanceInfo=info) for info in large]

    taken = discovery.replicate(*members)
    refused = discovery.call(
        "POST",
        "/peerreplication/batch/",
        data=b" " * 10_000_000,
        headers={"Content-Type": "application/json"},
    )

    assert (taken.status_code, len(discovery.ids())) == (200, 100)
    assert (refused.status_code, refused.content) == (413, b"")


def test_the_page_shows_what_is_registered(discovery: Any) -> None:
    discovery.register("<b>bold</b>")

    answer = discovery.session.get(discovery.base.replace("/eureka", "/"), timeout=5)

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "&lt;b&gt;bold&lt;/b&gt;" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
