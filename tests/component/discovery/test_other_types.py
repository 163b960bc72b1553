"""Values of another type than expected, taken as Netflix's server takes them."""

import json
from typing import Any
from xml.dom import minidom

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import registration

PORT = {"$": 1, "@enabled": "true"}


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ({"port": {"$": 8080.0, "@enabled": "true"}}, {"port": {"$": 8080, "@enabled": "true"}}),
        ({"port": {"$": 8080.7}}, {"port": {"$": 8080, "@enabled": "true"}}),
        ({"port": {"$": "8080.0"}}, {"port": {"$": 8080, "@enabled": "true"}}),
        ({"port": {"$": " 8080 "}}, {"port": {"$": 8080, "@enabled": "true"}}),
        ({"port": {"$": 1e3}}, {"port": {"$": 1000, "@enabled": "true"}}),
        ({"port": {"$": "+80"}}, {"port": {"$": 80, "@enabled": "true"}}),
        ({"port": {"$": True}}, {"port": PORT}),
        ({"port": PORT | {"@enabled": True}}, {"port": PORT}),
        ({"port": PORT | {"@enabled": 1}}, {"port": PORT}),
        ({"port": PORT | {"@enabled": False}}, {"port": PORT | {"@enabled": "false"}}),
        ({"port": PORT | {"@enabled": "yes"}}, {"port": PORT | {"@enabled": "false"}}),
        ({"port": {}}, {"port": {"$": 7001, "@enabled": "true"}}),
        ({"lastDirtyTimestamp": 1.79e12}, {"lastDirtyTimestamp": "1790000000000"}),
        ({"lastDirtyTimestamp": "1.79e12"}, {"lastDirtyTimestamp": "1790000000000"}),
        ({"lastDirtyTimestamp": 1790000000000.5}, {"lastDirtyTimestamp": "1790000000000"}),
        ({"countryId": 1.0}, {"countryId": 1}),
        ({"countryId": "1"}, {"countryId": 1}),
        ({"hostName": 5}, {"hostName": "5"}),
        ({"hostName": True}, {"hostName": "true"}),
        ({"ipAddr": 1.5}, {"ipAddr": "1.5"}),
        ({"instanceId": 7}, {"instanceId": "7"}),
        ({"vipAddress": 1e3}, {"vipAddress": "1000.0"}),
        (
            {"metadata": {"a": 1, "b": 1.0, "c": True, "d": None}},
            {"metadata": {"a": "1", "b": "1.0", "c": "true", "d": "null"}},
        ),
        ({"metadata": {"k": "a\ud800b"}}, {"metadata": {"k": "a?b"}}),
        ({"hostName": "a\udc00b"}, {"hostName": "a?b"}),
    ],
)
def test_a_value_is_coerced(discovery: Any, given_: dict[str, Any], shown: dict[str, Any]) -> None:
    assert discovery.register(**given_).status_code == 204

    [application] = discovery.get("/apps").json()["applications"]["application"]
    [instance] = application["instance"]
    assert {key: instance[key] for key in shown} == shown


@pytest.mark.parametrize("seconds", [90.0, 90.7, "90", "90.0", "9e1"])
def test_a_lease_may_be_a_double(discovery: Any, seconds: Any) -> None:
    lease = {"renewalIntervalInSecs": 30.0, "durationInSecs": seconds}

    assert discovery.register(leaseInfo=lease).status_code == 204
    shown = discovery.instance("/apps/PROBE/h:probe:1")["leaseInfo"]
    assert (shown["renewalIntervalInSecs"], shown["durationInSecs"]) == (30, 90)


@pytest.mark.parametrize("dirty", ["1790000000000", "1790000000000.0", "1.79e12"])
def test_a_heartbeat_may_carry_a_double(discovery: Any, dirty: str) -> None:
    discovery.register(lastDirtyTimestamp=1789999999999)

    newer = discovery.put(f"/apps/PROBE/h:probe:1?lastDirtyTimestamp={dirty}")

    assert newer.status_code == 404  # so that the instance registers again


@pytest.mark.parametrize(
    "port", [3e9, 2**40, "x", "0x50", "1_000", "٣", [], {}, "9" * 5_000, "1e9999"]
)
def test_what_can_be_no_number_is_refused(discovery: Any, port: Any) -> None:
    assert discovery.register(port={"$": port}).status_code == 400
    assert discovery.names() == []


def test_metadata_set_later_is_storable_too(discovery: Any) -> None:
    discovery.register()

    assert (
        discovery.put("/apps/PROBE/h:probe:1/metadata?k=%ED%A0%80&%ED%A0%80=v").status_code == 200
    )
    json.loads(discovery.get("/apps").content.decode())
    minidom.parseString(discovery.get("/apps", "application/xml").content)


CHARACTERS = st.text(
    st.characters() | st.sampled_from("\ud800\udfff\x00\x01\x1f\x7f\x85\ufffe\uffff<&>\"']]>_$"),
    max_size=6,
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats() | CHARACTERS
TEXTS = ["instanceId", "hostName", "ipAddr", "status", "overriddenstatus", "vipAddress", "asgName"]
NUMBERS = ["countryId", "lastDirtyTimestamp", "port"]
MEMBERS = st.sampled_from([*TEXTS, *NUMBERS, "homePageUrl", "actionType", "appGroupName"])
NESTED = st.sampled_from(["port", "securePort", "leaseInfo", "metadata", "dataCenterInfo"])
INNER = st.dictionaries(
    CHARACTERS | st.sampled_from(["$", "@enabled", "@class", "name", "durationInSecs", "metadata"]),
    VALUES,
    max_size=3,
)
REGISTRATIONS = st.tuples(
    st.dictionaries(MEMBERS, VALUES, max_size=3), st.dictionaries(NESTED, INNER, max_size=3)
).map(lambda parts: parts[0] | parts[1])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(REGISTRATIONS)
def test_any_registration_leaves_the_lists_readable_for_strict_parsers(
    discovery: Any, members: dict[str, Any]
) -> None:
    body = json.dumps(registration("h:1", "PROBE", **members)).encode()

    answer = discovery.call(
        "POST", "/apps/PROBE", data=body, headers={"Content-Type": "application/json"}
    )

    # Some texts are addresses (`0`), and nobody's: those are forbidden.
    assert answer.status_code in (204, 400, 403)
    for path in ("/apps", "/apps/delta"):
        listed = discovery.get(path)
        document = json.loads(listed.content.decode("utf-8"), parse_constant=pytest.fail)
        json.dumps(document, ensure_ascii=False).encode("utf-8")  # no half of a character
        minidom.parseString(discovery.get(path, "application/xml").content)
