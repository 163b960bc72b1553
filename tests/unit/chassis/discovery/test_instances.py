"""The client's copy of the registry: deltas, replicas, and who has come back."""

from collections import Counter
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
    applications = [{"name": "ORDER-SERVICE", "instance": [each]} for each in entries]
    return {"applications": {"apps__hashcode": hash_code, "application": applications}}


def hash_of(entries: dict[str, dict[str, Any]]) -> str:
    numbers = Counter(each["status"] for each in entries.values())
    return "".join(f"{status}_{number}_" for status, number in sorted(numbers.items()))


def test_who_is_not_up_is_kept_but_not_called() -> None:
    listing = RegistrySnapshot()

    listing.replace(document([entry("a"), entry("b", "OUT_OF_SERVICE")]))
    assert [each.id for each in listing.snapshot()["order-service"]] == ["a"]

    assert listing.change(document([entry("b", "UP", 2, "MODIFIED")], "UP_2_"))
    assert {each.id for each in listing.snapshot()["order-service"]} == {"a", "b"}


def test_one_that_offers_its_secure_port_alone_is_not_called() -> None:
    listing = RegistrySnapshot()

    listing.replace(document([entry("a"), entry("b") | {"port": {"$": 80, "@enabled": "false"}}]))

    assert [each.id for each in listing.snapshot()["order-service"]] == ["a"]


def test_one_that_registers_under_several_names_is_called_by_each() -> None:
    listing = RegistrySnapshot()

    listing.replace(document([entry("a") | {"vipAddress": "Orders, order-service,orders,"}]))

    found = listing.snapshot()
    assert {name: [each.id for each in them] for name, them in found.items()} == {
        "orders": ["a"],
        "order-service": ["a"],
    }


def test_one_that_has_registered_anew_is_another_instance() -> None:
    listing = RegistrySnapshot()
    listing.replace(document([entry("a", since=1)]))
    before = listing.snapshot()["order-service"]

    listing.change(document([entry("a", since=2)], "UP_1_"))
    assert listing.snapshot()["order-service"] != before


def test_what_an_instance_says_of_itself_comes_from_the_registry() -> None:
    listing = RegistrySnapshot()
    listing.replace(document([{**entry("a"), "metadata": {"version": 2}}, entry("b")]))
    instances = listing.snapshot()["order-service"]

    assert [each.metadata for each in instances] == [{"version": "2"}, {}]
    balancer = LoadBalancer(listing.snapshot)
    assert balancer.choose("order-service", takes=lambda said: "version" in said).id == "a"
    with pytest.raises(Unavailable):
        balancer.choose("order-service", takes=lambda said: said.get("version") == "3")


def test_another_version_is_no_other_instance() -> None:
    listing = RegistrySnapshot()
    listing.replace(document([{**entry("a"), "metadata": {"version": "2"}}, entry("b")]))
    balancer = LoadBalancer(listing.snapshot)

    balancer.refused(balancer.choose("order-service", takes=lambda said: "version" in said))

    assert balancer.has_others("order-service")
    assert not balancer.has_others("order-service", lambda said: "version" in said)


def test_a_canary_is_called_by_who_asks_for_it_and_by_others_only_for_want_of_any() -> None:
    listing = RegistrySnapshot()
    canary = {**entry("b"), "metadata": {"canary": "true"}}
    listing.replace(document([entry("a"), canary]))
    balancer = LoadBalancer(listing.snapshot)

    assert {balancer.choose("order-service").id for _ in range(20)} == {"a"}
    assert balancer.choose("order-service", takes=lambda said: "canary" in said).id == "b"

    listing.replace(document([canary]))
    assert balancer.choose("order-service").id == "b"


STATUSES = st.sampled_from(["UP", "DOWN", "OUT_OF_SERVICE"])
CHANGES = st.lists(st.tuples(st.sampled_from("abcd"), STATUSES | st.none()), max_size=12)


@given(CHANGES, CHANGES)
def test_deltas_lead_to_the_same_as_the_whole_list(first: Any, then: Any) -> None:
    server: dict[str, dict[str, Any]] = {}
    listing, whole = RegistrySnapshot(), RegistrySnapshot()

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
    listing.replace(document(list(server.values())))
    delta = happen(then)

    assert listing.change(document(delta, hash_of(server)))
    whole.replace(document(list(server.values())))
    assert {name: set(them) for name, them in listing.snapshot().items()} == {
        name: set(them) for name, them in whole.snapshot().items()
    }


def test_a_missed_change_shows_in_the_hash_code() -> None:
    listing = RegistrySnapshot()
    listing.replace(document([entry("a")]))

    assert not listing.change(document([], "UP_2_"))


class Answers:
    """Stands in for requests' session: what each base says."""

    trust_env = True

    def __init__(self, **said: int) -> None:
        self.said = said
        self.asked: list[str] = []

    def request(self, _method: str, url: str, **_: Any) -> requests.Response:
        base = url.removeprefix("http://").partition("/")[0]
        self.asked.append(base)
        if base not in self.said:
            raise requests.ConnectionError("refused")
        answer = requests.Response()
        answer.status_code = self.said[base]
        return answer


def servers(monkeypatch: pytest.MonkeyPatch, answers: Answers) -> EurekaHttpClient:
    monkeypatch.setattr(requests, "Session", lambda: answers)
    zone = "http://one/eureka/, http://two/eureka/,"
    settings = Eureka(client=EurekaClient(service_url=ServiceUrl(default_zone=zone)))
    return EurekaHttpClient(Live(settings))


@pytest.mark.parametrize("first", [{}, {"one": 503}])
def test_another_replica_is_asked_and_stayed_with(
    monkeypatch: pytest.MonkeyPatch, first: dict[str, int]
) -> None:
    answers = Answers(**first, two=200)
    asked = servers(monkeypatch, answers)

    assert [asked.request("GET", "/apps").status_code for _ in range(2)] == [200, 200]
    assert answers.asked == ["one", "two", "two"]


def test_a_404_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = Answers(one=404, two=200)

    assert servers(monkeypatch, answers).request("PUT", "/apps/A/a").status_code == 404


def test_when_nobody_answers_the_last_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(requests.RequestException, match="503"):
        servers(monkeypatch, Answers(two=503)).request("GET", "/apps")
