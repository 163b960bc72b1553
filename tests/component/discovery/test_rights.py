"""Who may register which names and addresses, and who may change what is registered."""

from typing import Any

import pytest
import requests

from ...identities import PASSWORD, basic, identity

CHALLENGE = 'Basic realm="discovery", charset="UTF-8"'
CHANGES = [
    ("POST", "/apps/PROBE"),
    ("PUT", "/apps/PROBE/p"),
    ("DELETE", "/apps/PROBE/p"),
    ("PUT", "/apps/PROBE/p/status?value=OUT_OF_SERVICE"),
    ("DELETE", "/apps/PROBE/p/status?value=UP"),
    ("PUT", "/apps/PROBE/p/metadata?a=b"),
    ("POST", "/peerreplication/batch/"),
    ("POST", "/v2/apps/PROBE"),
    ("DELETE", "/v2/apps/PROBE/p/"),
]
METADATA_SERVICE = [
    "169.254.169.254",
    "169.254.170.2",
    "169.254.0.1",
    "2852039166",
    "0xA9FEA9FE",
    "0xa9.0376.43518",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.254.169.254.",
    " 169.254.169.254",
    "１６９.254.169.254",
    "169。254。169。254",
    "%31%36%39.254.169.254",
    "%2531%36%39.254.169.254",
    "::ffff:169.254.169.254",
    "[::ffff:a9fe:a9fe]",
    "::169.254.169.254",
    "64:ff9b::169.254.169.254",
    "2002:a9fe:a9fe::",
    "fd00:ec2::254",
    "FD00:0EC2:0:0:0:0:0:0254",
    "fd20:ce::254",
    "fe80::1",
    "fe80::1%eth0",
    "[fe80::1%25eth0]",
    "100.100.100.200",
    "168.63.129.16",
    "metadata.google.internal",
    "Metadata.Google.Internal.",
    "0.0.0.0",
    "0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
]


def as_service(discovery: Any, service: str, method: str, path: str, **given: Any) -> Any:
    headers = {
        "Service-Assertion": identity(service).assertion("discovery"),
        "Accept": "application/json",
    }
    return requests.request(method, discovery.base + path, headers=headers, timeout=5, **given)


def entry(app: str, **more: Any) -> dict[str, Any]:
    instance = {
        "instanceId": "an-id",
        "hostName": "127.0.0.1",
        "app": app,
        "ipAddr": "127.0.0.1",
        "dataCenterInfo": {"@class": "x", "name": "MyOwn"},
        **more,
    }
    return {"instance": instance}


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_nothing_is_changed_without_credentials_or_with_wrong_ones(
    discovery: Any, method: str, path: str
) -> None:
    discovery.register("p")
    before = discovery.get("/apps").json()
    for headers in (
        {},
        basic(password="wrong"),
        basic("order-service"),
        {"Authorization": "Bearer x"},
        {"Service-Assertion": "x"},
        {"Service-Assertion": identity("stranger").assertion("discovery")},
        {"Service-Assertion": identity("order-service").assertion("config-server")},
    ):
        answer = requests.request(
            method, discovery.base + path, headers=headers, json=entry("PROBE"), timeout=5
        )

        assert (answer.status_code, answer.content) == (401, b""), headers
        assert answer.headers["WWW-Authenticate"] == CHALLENGE
    assert discovery.get("/apps").json() == before


def test_everybody_may_read_but_not_with_a_wrong_password(discovery: Any) -> None:
    discovery.register("p")
    root = discovery.base.removesuffix("/eureka")

    for address in (f"{root}/", f"{discovery.base}/apps", f"{discovery.base}/apps/PROBE/p"):
        assert requests.get(address, timeout=5).status_code == 200
        assert requests.get(address, headers={"Authorization": "Bearer x"}, timeout=5).ok
        refused = requests.get(address, headers=basic(password="slip"), timeout=5)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, CHALLENGE)


def test_the_password_may_stand_in_the_address(discovery: Any) -> None:
    address = f"{discovery.address}/apps/PROBE"

    assert requests.post(address, json=entry("PROBE"), timeout=5).status_code == 204
    wrong = address.replace(PASSWORD, "wrong")
    assert requests.post(wrong, json=entry("PROBE"), timeout=5).status_code == 401


@pytest.mark.parametrize(
    "name",
    ["ORDER-SERVICE", "order-service", "Order-Service", "ＯＲＤＥＲ-service", "ORDER-ſERVICE"],
)
def test_a_guest_registers_under_no_name_of_the_shops_own(discovery: Any, name: str) -> None:
    attempts = [
        (name, entry(name)),
        ("EVIL", entry("EVIL", vipAddress=name)),
        ("EVIL", entry("EVIL", vipAddress=f"evil, {name}")),
        ("EVIL", entry("EVIL", secureVipAddress=name)),
    ]
    for app, document in attempts:
        answer = discovery.call("POST", f"/apps/{app}", json=document)
        assert answer.status_code in (400, 403), document
    assert discovery.names() == []


@pytest.mark.parametrize("instance_id", ["order-service-1", "ORDER-SERVICE-17", "user-service"])
def test_a_guest_takes_no_name_of_an_instance_of_the_shop(discovery: Any, instance_id: str) -> None:
    assert discovery.register(instance_id).status_code == 403


def test_a_service_registers_itself_and_nobody_else(discovery: Any) -> None:
    own = entry("ORDER-SERVICE", instanceId="order-service-1", vipAddress="order-service")

    def post(app: str, document: Any) -> int:
        answer = as_service(discovery, "order-service", "POST", f"/apps/{app}", json=document)
        return int(answer.status_code)

    assert post("ORDER-SERVICE", own) == 204
    assert post("USER-SERVICE", entry("USER-SERVICE")) == 403
    assert post("ELSE", entry("ELSE")) == 403
    assert post("ORDER-SERVICE", entry("ORDER-SERVICE", vipAddress="user-service")) == 403
    assert discovery.names() == ["ORDER-SERVICE"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", ""),
        ("DELETE", ""),
        ("PUT", "/status?value=OUT_OF_SERVICE"),
        ("DELETE", "/status?value=UP"),
        ("PUT", "/metadata?canary=true"),
    ],
)
def test_only_the_service_itself_and_the_operator_change_its_instances(
    discovery: Any, method: str, path: str
) -> None:
    own = entry("ORDER-SERVICE", instanceId="order-service-1")
    as_service(discovery, "order-service", "POST", "/apps/ORDER-SERVICE", json=own)
    path = f"/apps/order-service/order-service-1{path}"

    for headers in ({}, {"x-netflix-discovery-replication": "true"}):
        refused = discovery.call(method, path, headers=headers)
        assert (refused.status_code, refused.content) == (403, b"")
    assert as_service(discovery, "user-service", method, path).status_code == 403
    assert discovery.instance("/apps/ORDER-SERVICE/order-service-1")["status"] == "UP"
    for service in ("ops", "order-service"):
        as_service(discovery, "order-service", "POST", "/apps/ORDER-SERVICE", json=own)
        assert as_service(discovery, service, method, path).status_code == 200


def member(action: str, app: str, **more: Any) -> dict[str, Any]:
    info = entry(app, **more)["instance"]
    return {"appName": app, "id": info["instanceId"], "action": action, "instanceInfo": info}


def statuses(answer: Any) -> list[int]:
    return [response["statusCode"] for response in answer.json()["responseList"]]


def test_what_a_guest_sends_as_a_replica_is_held_to_the_same_rules(discovery: Any) -> None:
    members = [
        member("Register", "ORDER-SERVICE"),
        member("Register", "EVIL", vipAddress="order-service"),
        member("Register", "EVIL", ipAddr="169.254.169.254"),
        member("Cancel", "ORDER-SERVICE"),
        member("StatusUpdate", "ORDER-SERVICE", status="DOWN"),
        member("Register", "PROBE"),
    ]

    answer = discovery.call(
        "POST",
        "/peerreplication/batch/",
        json={"replicationList": members},
        headers={"Accept": "application/json"},
    )

    assert statuses(answer) == [403, 403, 403, 403, 403, 200]
    assert discovery.names() == ["PROBE"]


def test_a_replica_tells_of_every_service(discovery: Any) -> None:
    batch = {"replicationList": [member("Register", "ORDER-SERVICE"), member("Register", "PROBE")]}

    answer = as_service(discovery, "discovery", "POST", "/peerreplication/batch/", json=batch)

    assert statuses(answer) == [200, 200]
    assert set(discovery.names()) == {"ORDER-SERVICE", "PROBE"}


@pytest.mark.parametrize("address", METADATA_SERVICE)
def test_nobody_registers_where_a_machines_metadata_are(discovery: Any, address: str) -> None:
    host = f"[{address}]" if ":" in address and not address.startswith("[") else address
    for document in (
        {"ipAddr": address},
        {"hostName": address},
        {"homePageUrl": f"http://{host}/"},
        {"statusPageUrl": f"http://user@{host}:8080/actuator/info"},
        {"healthCheckUrl": f"HTTP:\\\\{host}\\x"},
        {"secureHealthCheckUrl": f"//{host}?a=b"},
    ):
        answer = discovery.register("p", **document)
        assert (answer.status_code, answer.content) == (403, b""), document
    own = entry("ORDER-SERVICE", ipAddr=address)
    assert (
        as_service(discovery, "order-service", "POST", "/apps/ORDER-SERVICE", json=own).status_code
        == 403
    )
    assert discovery.names() == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "::1",
        "10.0.0.1",
        "192.168.1.7",
        "203.0.113.9",
        "2001:db8::1",
        "localhost",
        "worker-7",
        "a..b",
        "1",
        "service.example",
        "169.253.0.1",
        "fd00::1",
    ],
)
def test_other_addresses_are_the_guests_own_business(discovery: Any, address: str) -> None:
    answer = discovery.register("p", ipAddr=address, hostName=address)

    assert answer.status_code == 204


def test_a_name_that_leads_to_such_an_address_is_one(
    discovery: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = {"rebound.example": "169.254.169.254", "mapped.example": "::ffff:169.254.169.254"}

    def resolved(host: str, *_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (addresses.get(host, "192.0.2.1"), 0))]

    monkeypatch.setattr("socket.getaddrinfo", resolved)
    for name in addresses:
        assert discovery.register("p", hostName=name).status_code == 403
        assert discovery.register("p", ipAddr=name).status_code == 403
        assert discovery.register("p", healthCheckUrl=f"http://{name}/").status_code == 403
    assert discovery.register("p", hostName="fine.example").status_code == 204
