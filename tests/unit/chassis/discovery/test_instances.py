"""The client's copy of the registry: deltas, replicas, and who has come back."""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from chassis.config.settings import Eureka, EurekaClient, ServiceUrl
from chassis.core.errors import Unavailable
from chassis.core.live import Live
from chassis.discovery.eureka_http import EurekaHttpClient
from chassis.discovery.instances import RegistrySnapshot
from chassis.discovery.load_balancer import LoadBalancer

from ....identities import NO_IDENTITY


def entry(name: str, status: str = "UP", since: int = 1, action: str = "ADDED") -> dict[str, Any]:
    return {
        "instanceId": name,
        "app": "ORDER-SERVICE",
        "vipAddress": "order-service",
        "ipAddr": "127.0.0.1",
        "port": {"$": 5000, "@enabled": "true"},
        "status": status,
        "lastDirtyTimestamp": str(since),
        "actionType": action,
    }


def document(entries: list[dict[str, Any]], hash_code: str = "") -> dict[str, Any]:
    applications = [{"name": "ORDER-SERVICE", "instance": [entry]} for entry in entries]
    return {"applications": {"apps__hashcode": hash_code, "application": applications}}


def hash_of(entries: dict[str, dict[str, Any]]) -> str:
    numbers = Counter(entry["status"] for entry in entries.values())
    return "".join(f"{status}_{number}_" for status, number in sorted(numbers.items()))


def test_an_instance_that_is_not_up_is_known_but_not_called() -> None:
    registry = RegistrySnapshot()

    registry.replace(document([entry("a"), entry("b", "OUT_OF_SERVICE")]))
    assert [instance.id for instance in registry.snapshot()["order-service"]] == ["a"]

    assert registry.change(document([entry("b", "UP", 2, "MODIFIED")], "UP_2_"))
    assert {instance.id for instance in registry.snapshot()["order-service"]} == {"a", "b"}


def test_an_instance_with_only_a_secure_port_is_not_called() -> None:
    registry = RegistrySnapshot()

    registry.replace(document([entry("a"), entry("b") | {"port": {"$": 80, "@enabled": "false"}}]))

    assert [instance.id for instance in registry.snapshot()["order-service"]] == ["a"]


@pytest.mark.parametrize(
    "applications",
    [
        {"application": {"name": "ORDER-SERVICE", "instance": entry("a")}},
        {"application": [{"name": "ORDER-SERVICE", "instance": entry("a")}]},
        {"application": {"name": "ORDER-SERVICE", "instance": [entry("a")]}},
    ],
)
def test_one_element_may_stand_for_a_list_of_one(applications: dict[str, Any]) -> None:
    registry = RegistrySnapshot()

    registry.replace({"applications": applications})
    listed = registry.snapshot()

    assert [instance.id for instance in listed["order-service"]] == ["a"]
    assert registry.change({"applications": {**applications, "apps__hashcode": "UP_1_"}})
    assert registry.snapshot() == listed


@pytest.mark.parametrize("nothing", [None, "", []])
def test_nothing_may_stand_for_an_empty_list(nothing: Any) -> None:
    registry = RegistrySnapshot()
    registry.replace({"applications": {"application": nothing, "apps__hashcode": ""}})
    assert registry.snapshot() == {}

    registry.replace({"applications": {"application": [{"name": "A", "instance": nothing}]}})
    assert registry.snapshot() == {}


@pytest.mark.parametrize("document", [None, [], {}, {"applications": {}}, {"applications": []}])
def test_what_is_no_list_of_applications_empties_no_copy(document: Any) -> None:
    registry = RegistrySnapshot()

    with pytest.raises(ValueError, match="no list of applications"):
        registry.replace(document)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ({"$": 8080.0, "@enabled": True}, 8080),
        ({"$": "8080", "@enabled": "true"}, 8080),
        ({"$": " 8080.0 "}, 8080),
        (8080, 8080),
        ("8080", 8080),
    ],
)
def test_a_port_may_be_written_in_other_ways(port: Any, expected: int) -> None:
    registry = RegistrySnapshot()
    registry.replace(
        document([entry("a") | {"port": port, "lastDirtyTimestamp": "1.79e12", "ipAddr": "[::1]"}])
    )

    [instance] = registry.snapshot()["order-service"]

    assert (instance.port, instance.since) == (expected, 1_790_000_000_000)
    assert instance.url == f"http://[::1]:{expected}"


@pytest.mark.parametrize(
    "broken",
    [
        {"port": None},
        {"port": {}},
        {"port": {"$": "x"}},
        {"port": {"$": 70_000}},
        {"port": {"$": 1e400}},
        {"ipAddr": ...},
        {"metadata": [1]},
        {"lastDirtyTimestamp": "x"},
        {"status": ...},
        {"app": ...},
    ],
)
def test_an_instance_that_cannot_be_read_hides_no_other(broken: dict[str, Any]) -> None:
    registry = RegistrySnapshot()
    changed = {key: value for key, value in (entry("b") | broken).items() if value is not ...}

    registry.replace(document([entry("a"), changed]))

    assert [instance.id for instance in registry.snapshot()["order-service"]] == ["a"]


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["application", "instance", "app", "instanceId", "status", "port", "$", "ipAddr"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(ANYTHING)
def test_any_document_of_a_server_is_read_or_is_a_value_error(applications: Any) -> None:
    registry = RegistrySnapshot()

    with suppress(ValueError):
        registry.replace({"applications": applications})
        registry.change({"applications": applications})
    registry.snapshot()


def test_an_instance_with_several_names_is_called_by_each_of_them() -> None:
    registry = RegistrySnapshot()

    registry.replace(document([entry("a") | {"vipAddress": "Orders, order-service,orders,"}]))

    services = registry.snapshot()
    assert {
        name: [instance.id for instance in instances] for name, instances in services.items()
    } == {
        "orders": ["a"],
        "order-service": ["a"],
    }


def test_an_instance_that_has_registered_again_is_another_instance() -> None:
    registry = RegistrySnapshot()
    registry.replace(document([entry("a", since=1)]))
    before = registry.snapshot()["order-service"]

    registry.change(document([entry("a", since=2)], "UP_1_"))
    assert registry.snapshot()["order-service"] != before


def test_the_metadata_of_an_instance_comes_from_the_registry() -> None:
    registry = RegistrySnapshot()
    registry.replace(document([{**entry("a"), "metadata": {"version": 2}}, entry("b")]))
    instances = registry.snapshot()["order-service"]

    assert [instance.metadata for instance in instances] == [{"version": "2"}, {}]
    balancer = LoadBalancer(registry.snapshot)
    assert balancer.choose("order-service", takes=lambda metadata: "version" in metadata).id == "a"
    with pytest.raises(Unavailable):
        balancer.choose("order-service", takes=lambda metadata: metadata.get("version") == "3")


def test_new_metadata_does_not_make_another_instance() -> None:
    registry = RegistrySnapshot()
    registry.replace(document([{**entry("a"), "metadata": {"version": "2"}}, entry("b")]))
    balancer = LoadBalancer(registry.snapshot)

    balancer.refused(balancer.choose("order-service", takes=lambda metadata: "version" in metadata))

    assert balancer.has_others("order-service")
    assert not balancer.has_others("order-service", lambda metadata: "version" in metadata)


def test_a_canary_is_called_by_choice_or_when_there_is_no_other_instance() -> None:
    registry = RegistrySnapshot()
    canary = {**entry("b"), "metadata": {"canary": "true"}}
    registry.replace(document([entry("a"), canary]))
    balancer = LoadBalancer(registry.snapshot)

    assert {balancer.choose("order-service").id for _ in range(20)} == {"a"}
    assert balancer.choose("order-service", takes=lambda metadata: "canary" in metadata).id == "b"

    registry.replace(document([canary]))
    assert balancer.choose("order-service").id == "b"


STATUSES = st.sampled_from(["UP", "DOWN", "OUT_OF_SERVICE"])
CHANGES = st.lists(st.tuples(st.sampled_from("abcd"), STATUSES | st.none()), max_size=12)


@given(CHANGES, CHANGES)
def test_deltas_lead_to_the_same_as_the_whole_list(first: Any, then: Any) -> None:
    server: dict[str, dict[str, Any]] = {}
    registry, whole = RegistrySnapshot(), RegistrySnapshot()

    def happen(changes: Any) -> list[dict[str, Any]]:
        touched = {}
        for number, (name, status) in enumerate(changes):
            if status is None:
                gone = server.pop(name, None)
                if gone:
                    touched[name] = {**gone, "actionType": "DELETED"}
            else:
                touched[name] = server[name] = entry(name, status, number)
        return list(touched.values())

    happen(first)
    registry.replace(document(list(server.values())))
    delta = happen(then)

    assert registry.change(document(delta, hash_of(server)))
    whole.replace(document(list(server.values())))
    assert {name: set(them) for name, them in registry.snapshot().items()} == {
        name: set(them) for name, them in whole.snapshot().items()
    }


def test_a_missed_change_shows_in_the_hash_code() -> None:
    registry = RegistrySnapshot()
    registry.replace(document([entry("a")]))

    assert not registry.change(document([], "UP_2_"))


class Answers:
    """Stands in for requests' session: the status of each base URL."""

    trust_env = True

    def __init__(self, **statuses: int) -> None:
        self.statuses = statuses
        self.called: list[str] = []

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        return request.prepare()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        base = str(request.url).removeprefix("http://").partition("/")[0]
        self.called.append(base)
        if base not in self.statuses:
            raise requests.ConnectionError("refused")
        answer = requests.Response()
        answer.status_code = self.statuses[base]
        return answer


def servers(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> EurekaHttpClient:
    monkeypatch.setattr(requests, "Session", lambda: answers)
    zone = "http://one/eureka/, http://two/eureka/,"
    settings = Eureka(client=EurekaClient(service_url=ServiceUrl(default_zone=zone)))
    return EurekaHttpClient(Live(settings), NO_IDENTITY)


@pytest.mark.parametrize("first", [{}, {"one": 503}])
def test_the_next_replica_is_called_and_stayed_with(
    monkeypatch: pytest.MonkeyPatch, first: dict[str, int]
) -> None:
    answers = Answers(**first, two=200)
    client = servers(monkeypatch, answers)

    assert [client.request("GET", "/apps").status_code for _ in range(2)] == [200, 200]
    assert answers.called == ["one", "two", "two"]


def test_a_404_is_a_response_and_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(one=404, two=200)

    assert servers(monkeypatch, answers).request("PUT", "/apps/A/a").status_code == 404


def test_when_no_replica_answers_the_last_failure_is_raised(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(requests.RequestException, match="503"):
        servers(monkeypatch, Answers(two=503)).request("GET", "/apps")


@pytest.mark.parametrize(
    ("registered", "named", "url"),
    [
        ("10.0.0.7", "10.0.0.7:5000", "http://10.0.0.7:5000"),
        ("worker", "worker:5000", "http://worker:5000"),
        ("::1", "[::1]:5000", "http://[::1]:5000"),
        ("[::1]", "[::1]:5000", "http://[::1]:5000"),
        ("0:0:0:0:0:0:0:1", "[::1]:5000", "http://[0:0:0:0:0:0:0:1]:5000"),
        ("2001:DB8::7", "[2001:db8::7]:5000", "http://[2001:DB8::7]:5000"),
        ("fe80::1%eth0", "[fe80::1]:5000", "http://[fe80::1%25eth0]:5000"),
        ("1:2", "[1:2]:5000", "http://[1:2]:5000"),
    ],
)
def test_an_ipv6_address_stands_in_brackets_and_a_host_has_no_zone(
    registered: str, named: str, url: str
) -> None:
    copy = RegistrySnapshot()
    copy.replace(document([entry("a") | {"ipAddr": registered, "hostName": "worker"}]))

    (instance,) = copy.snapshot()["order-service"]

    assert (instance.authority, instance.url, instance.host_name) == (named, url, "worker")
