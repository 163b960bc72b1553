"""Discovery's answers over HTTP, compared with answers of Netflix's server."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

# The keys of an instance in the order of the real server, all optional ones registered.
KEYS = [
    "instanceId",
    "hostName",
    "app",
    "ipAddr",
    "status",
    "overriddenStatus",
    "port",
    "securePort",
    "countryId",
    "dataCenterInfo",
    "leaseInfo",
    "metadata",
    "homePageUrl",
    "statusPageUrl",
    "healthCheckUrl",
    "vipAddress",
    "secureVipAddress",
    "isCoordinatingDiscoveryServer",
    "lastUpdatedTimestamp",
    "lastDirtyTimestamp",
    "actionType",
]
XML_BODY = """<?xml version="1.0"?>
<instance><instanceId>x:1</instanceId><hostName>h</hostName><app>XMLAPP</app><ipAddr>10.0.0.1</ipAddr>
<overriddenstatus>UNKNOWN</overriddenstatus><port enabled="true">8080</port>
<securePort enabled="false">443</securePort>
<dataCenterInfo class="com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo"><name>MyOwn</name>
</dataCenterInfo><leaseInfo><renewalIntervalInSecs>1</renewalIntervalInSecs>
<durationInSecs>2</durationInSecs></leaseInfo><metadata><zone>a</zone></metadata></instance>"""


def instance_of(answer: Any) -> dict[str, Any]:
    instance: dict[str, Any] = answer.json()["instance"]
    return instance


def test_an_empty_registry_answers_the_empty_list(discovery: Any) -> None:
    answer = discovery.get("/apps")

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.text == (
        '{"applications":{"versions__delta":"1","apps__hashcode":"","application":[]}}'
    )


def test_a_registered_instance_is_listed_with_the_keys_and_types_of_the_real_server(
    discovery: Any,
) -> None:
    answer = discovery.register(
        homePageUrl="http://h/",
        statusPageUrl="http://h/info",
        healthCheckUrl="http://h/health",
        secureVipAddress="probe",
        port={"$": 8080, "@enabled": "true"},
        securePort={"$": 443, "@enabled": "false"},
        metadata={"zone": "a", "weight": 5},
        leaseInfo={"renewalIntervalInSecs": 1, "durationInSecs": 2},
        lastDirtyTimestamp="1795260909116",
    )

    assert (answer.status_code, answer.content) == (204, b"")
    listed = discovery.get("/apps").json()["applications"]
    instance = listed["application"][0]["instance"][0]
    assert listed["apps__hashcode"] == "UP_1_"
    assert list(instance) == KEYS
    assert instance["port"] == {"$": 8080, "@enabled": "true"}
    assert instance["securePort"] == {"$": 443, "@enabled": "false"}
    assert instance["metadata"] == {"zone": "a", "weight": "5"}
    assert instance["lastDirtyTimestamp"] == "1795260909116"
    assert instance["isCoordinatingDiscoveryServer"] == "false"
    assert instance["leaseInfo"] == {
        "renewalIntervalInSecs": 1,
        "durationInSecs": 2,
        "registrationTimestamp": 1_000_000_000,
        "lastRenewalTimestamp": 1_000_000_000,
        "evictionTimestamp": 0,
        "serviceUpTimestamp": 1_000_000_000,
    }


def test_optional_fields_are_left_out_or_have_defaults(discovery: Any) -> None:
    discovery.register()

    instance = instance_of(discovery.get("/apps/PROBE/h:probe:1"))

    assert "homePageUrl" not in instance
    assert instance["metadata"] == {"@class": "java.util.Collections$EmptyMap"}
    assert instance["port"] == {"$": 7001, "@enabled": "true"}
    assert instance["securePort"] == {"$": 7002, "@enabled": "false"}
    assert instance["leaseInfo"]["renewalIntervalInSecs"] == 30
    assert instance["leaseInfo"]["durationInSecs"] == 90
    assert (instance["status"], instance["overriddenStatus"]) == ("UP", "UNKNOWN")


@pytest.mark.parametrize("accept", [None, "*/*", "application/xml", "application/*"])
def test_lists_are_in_xml_unless_accept_names_json(discovery: Any, accept: str | None) -> None:
    discovery.register(metadata={"zone": "a", "odd key": "<&"})

    answer = discovery.get("/apps", accept=accept)
    root = ElementTree.fromstring(answer.content)

    assert answer.headers["Content-Type"] == "application/xml"
    assert root.findtext("apps__hashcode") == "UP_1_"
    assert root.findtext("application/instance/overriddenstatus") == "UNKNOWN"
    assert root.findtext("application/instance/metadata/zone") == "a"
    assert root.findtext("application/instance/metadata/odd_.0020key") == "<&"
    port = root.find("application/instance/port")
    assert port is not None
    assert (port.text, port.get("enabled")) == ("7001", "true")


def test_a_registration_in_xml_is_accepted(discovery: Any) -> None:
    answer = discovery.call(
        "POST", "/apps/xmlapp", data=XML_BODY, headers={"Content-Type": "application/xml"}
    )

    assert answer.status_code == 204
    instance = instance_of(discovery.get("/apps/xmlapp/x:1"))
    assert instance["port"] == {"$": 8080, "@enabled": "true"}
    assert instance["leaseInfo"]["durationInSecs"] == 2
    assert instance["metadata"] == {"zone": "a"}


def test_a_heartbeat_is_answered_200_until_the_instance_cancels(discovery: Any) -> None:
    discovery.register()

    beat = discovery.put("/apps/probe/h:probe:1?status=DOWN&lastDirtyTimestamp=1")
    shown = instance_of(discovery.get("/instances/h:probe:1"))
    cancelled = discovery.delete("/apps/PROBE/h:probe:1")
    again = discovery.delete("/apps/PROBE/h:probe:1")
    late = discovery.put("/apps/PROBE/h:probe:1")

    assert (beat.status_code, beat.content, beat.headers["Content-Length"]) == (200, b"", "0")
    assert shown["status"] == "UP"
    assert [cancelled.status_code, again.status_code, late.status_code] == [200, 404, 404]
    assert discovery.names() == []


def test_a_renewed_lease_lives_twice_its_duration_and_then_leaves_all_lists(
    discovery: Any,
) -> None:
    discovery.register(leaseInfo={"renewalIntervalInSecs": 1, "durationInSecs": 2})
    discovery.put("/apps/PROBE/h:probe:1")

    discovery.now += 3.9
    assert discovery.get("/apps/PROBE/h:probe:1").status_code == 200
    discovery.now += 0.2
    gone = discovery.get("/apps/PROBE/h:probe:1")
    discovery.now += 1

    assert gone.status_code == 404
    assert discovery.names() == []
    delta = discovery.get("/apps/delta").json()["applications"]
    assert delta["application"][0]["instance"][0]["actionType"] == "DELETED"
    assert delta["apps__hashcode"] == ""


@pytest.mark.parametrize("path", ["/apps/PROBE", "/vips/probe", "/apps"])
def test_every_list_drops_a_lapsed_lease_without_a_sweep_from_outside(
    discovery: Any, path: str
) -> None:
    discovery.register(leaseInfo={"durationInSecs": 2})

    discovery.now += 3

    assert "h:probe:1" not in discovery.get(path).text


def test_every_change_gives_the_delta_a_new_version(discovery: Any) -> None:
    def version() -> int:
        return int(discovery.get("/apps/delta").json()["applications"]["versions__delta"])

    before = version()
    discovery.register("a")
    after_one = version()
    discovery.delete("/apps/PROBE/a")
    discovery.register("b")

    assert before < after_one
    assert version() == after_one + 2


def test_the_lists_come_compressed_on_request(discovery: Any) -> None:
    discovery.register()

    answers = [
        discovery.call(
            "GET", path, headers={"Accept": "application/json", "Accept-Encoding": "gzip"}
        )
        for path in ("/apps", "/apps/delta")
    ]

    assert [answer.headers.get("Content-Encoding") for answer in answers] == ["gzip", "gzip"]
    assert answers[0].json()["applications"]["apps__hashcode"] == "UP_1_"


def test_addresses_find_their_instances_and_unknown_ones_nothing(discovery: Any) -> None:
    discovery.register(vipAddress="probe,other", secureVipAddress="safe")

    lists = [
        discovery.get(path).json()["applications"]
        for path in ("/vips/other", "/svips/safe", "/vips/none")
    ]

    assert [applications["apps__hashcode"] for applications in lists] == ["UP_1_", "UP_1_", ""]
    assert lists[2] == {"versions__delta": "-1", "apps__hashcode": "", "application": []}


def test_an_out_of_service_override_holds_until_it_is_removed(discovery: Any) -> None:
    discovery.register()
    path = "/apps/PROBE/h:probe:1"

    assert discovery.put(f"{path}/status?value=OUT_OF_SERVICE").status_code == 200
    discovery.register()
    assert discovery.put(path).status_code == 200
    held = instance_of(discovery.get(path))
    assert discovery.delete(f"{path}/status?value=UP").status_code == 200
    back = instance_of(discovery.get(path))

    assert (held["status"], held["overriddenStatus"]) == ("OUT_OF_SERVICE", "OUT_OF_SERVICE")
    assert (back["status"], back["overriddenStatus"]) == ("UP", "UNKNOWN")


def test_an_override_removed_without_a_value_makes_the_instance_register_again(
    discovery: Any,
) -> None:
    discovery.register()
    path = "/apps/PROBE/h:probe:1"
    discovery.put(f"{path}/status?value=DOWN")

    discovery.delete(f"{path}/status")

    assert instance_of(discovery.get(path))["status"] == "UNKNOWN"
    assert discovery.put(path).status_code == 404
    discovery.register()
    assert discovery.put(path).status_code == 200


def test_metadata_is_added_to_what_was_registered(discovery: Any) -> None:
    discovery.register(metadata={"a": "1"})

    assert discovery.put("/apps/PROBE/h:probe:1/metadata?b=2").status_code == 200

    instance = instance_of(discovery.get("/apps/PROBE/h:probe:1"))
    assert instance["metadata"] == {"a": "1", "b": "2"}


def test_the_prefix_v2_gives_the_same_answers(discovery: Any) -> None:
    discovery.register()

    assert discovery.get("/v2/apps").json() == discovery.get("/apps/").json()
    assert discovery.put("/v2/apps/PROBE/h:probe:1").status_code == 200


def test_text_that_xml_cannot_represent_does_not_break_the_list(discovery: Any) -> None:
    body = json.dumps({"instance": {}}).replace(
        "{}",
        '{"instanceId":"a\\u0000b","hostName":"\\ud800","app":"P","ipAddr":"1",'
        '"dataCenterInfo":{"name":"MyOwn"},"metadata":{"":"x","@b c":"y"}}',
    )
    discovery.call("POST", "/apps/P", data=body, headers={"Content-Type": "application/json"})

    root = ElementTree.fromstring(discovery.get("/apps", accept=None).content)

    assert root.findtext("application/instance/instanceId") == "ab"
