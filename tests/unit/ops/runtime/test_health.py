"""Health is asked for, and what answers is understood."""

import json
from dataclasses import replace
from typing import Any

import pytest

from fusebox.core.stack import Stack
from fusebox.native import process_tree
from fusebox.native.supervisor import Supervisor
from fusebox.network import http, ports
from fusebox.network.http import HttpResponse
from fusebox.operations import status
from fusebox.runtime import health
from fusebox.runtime.driver import State
from fusebox.runtime.health import Endpoint


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, HttpResponse]:
    """What each address answers; all others are away."""
    known: dict[str, HttpResponse] = {}
    monkeypatch.setattr(http, "get", lambda url, **_: known.get(url, HttpResponse(0)))
    return known


def ok(body: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(status, json.dumps(body).encode())


def instance(name: str, port: int) -> dict[str, Any]:
    return {"instanceId": name, "ipAddr": "127.0.0.1", "port": {"$": port, "@enabled": "true"}}


def test_the_port_of_an_instance_is_what_discovery_says(
    stack: Stack, answers: dict[str, HttpResponse]
) -> None:
    apps = [
        {"name": "ORDER-SERVICE", "instance": [instance("order-service-1", 4711)]},
        {"name": "GATEWAY", "instance": instance("gateway-1", 8000)},
    ]
    answers["http://127.0.0.1:8761/eureka/apps"] = ok({"applications": {"application": apps}})

    known = health.registered(stack)

    assert known["order-service-1"] == Endpoint("127.0.0.1", 4711)
    assert known["gateway-1"].port == 8000


@pytest.mark.parametrize("body", [None, [], {"applications": None}, {"applications": {}}])
def test_a_discovery_that_knows_nobody_is_no_error(
    stack: Stack, answers: dict[str, HttpResponse], body: Any
) -> None:
    answers["http://127.0.0.1:8761/eureka/apps"] = ok(body)

    assert health.registered(stack) == {}


def test_a_service_that_is_not_registered_is_not_healthy(stack: Stack) -> None:
    verdict = health.check(stack, "order-service-1", {})

    assert verdict == health.InstanceHealth(False, "not registered with discovery")


def test_a_service_is_healthy_when_its_readiness_is_up(
    stack: Stack, answers: dict[str, HttpResponse]
) -> None:
    answers["http://127.0.0.1:4711/actuator/health/readiness"] = ok({"status": "UP"})

    known = {"order-service-1": Endpoint("127.0.0.1", 4711)}

    assert health.check(stack, "order-service-1", known).healthy


def test_a_service_that_is_not_ready_says_what_it_lacks(
    stack: Stack, answers: dict[str, HttpResponse]
) -> None:
    components = {"db": {"status": "DOWN"}, "registry": {"status": "UP"}}
    body = {"status": "DOWN", "components": components}
    answers["http://127.0.0.1:8000/actuator/health/readiness"] = ok(body, status=503)

    assert health.check(stack, "gateway-1", {}).reason == "readiness is DOWN (db)"


def test_what_a_service_lacks_is_told_with_its_error_as_far_as_there_is_room(
    stack: Stack, answers: dict[str, HttpResponse]
) -> None:
    error = "orders/0/7: KeyError: 'qty'. " + "20 in a row could not be handled " * 9
    components = {"consumer": {"status": "DOWN", "details": {"error": error}}}
    body = {"status": "DOWN", "components": components}
    answers["http://127.0.0.1:8000/actuator/health/readiness"] = ok(body, status=503)

    reason = health.check(stack, "gateway-1", {}).reason

    assert reason.startswith("readiness is DOWN (consumer: orders/0/7: KeyError: 'qty'. 20 in a")
    assert len(reason) < 150


def test_a_process_that_is_away_does_not_answer(
    stack: Stack, answers: dict[str, HttpResponse]
) -> None:
    assert not answers
    assert health.check(stack, "gateway-1", {}).reason == "does not answer"


def knowing(services: list[str], keys: int = 1) -> HttpResponse:
    registry = {"details": {"services": services}}
    return ok({"components": {"registry": registry, "tokens": {"details": {"keys": keys}}}})


@pytest.fixture
def open_shop(answers: dict[str, HttpResponse]) -> dict[str, HttpResponse]:
    """All know all, and the gateway reaches the catalog."""
    names = list(health.SERVICES)
    apps = [{"instance": instance(f"{name}-1", 4000 + n)} for n, name in enumerate(names)]
    answers["http://127.0.0.1:8761/eureka/apps"] = ok({"applications": {"application": apps}})
    for port in (8000, *range(4000, 4000 + len(names))):
        answers[f"http://127.0.0.1:{port}/actuator/health"] = knowing(names)
    answers["http://127.0.0.1:8000/catalog-service/catalogs"] = ok([])
    return answers


def test_the_shop_is_open_when_all_know_all(
    stack: Stack, open_shop: dict[str, HttpResponse]
) -> None:
    assert open_shop
    assert health.shop_is_open(stack)


@pytest.mark.parametrize("lack", [knowing(["order-service"]), knowing(list(health.SERVICES), 0)])
def test_the_shop_is_not_open_while_one_lacks_a_service_it_calls_or_the_keys(
    stack: Stack, open_shop: dict[str, HttpResponse], lack: HttpResponse
) -> None:
    open_shop["http://127.0.0.1:4001/actuator/health"] = lack

    assert not health.shop_is_open(stack)


def state(name: str, *, paused: bool = False) -> State:
    return State(name, "RUNNING", pid=7, started=1, reason="", is_paused=paused)


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every process listens on 4711."""
    monkeypatch.setattr(ports, "listening_port", lambda pid: 4711 if pid else None)


@pytest.mark.usefixtures("sockets")
def test_while_discovery_is_away_the_services_are_found_by_their_sockets(
    stack: Stack, answers: dict[str, HttpResponse]
) -> None:
    states = {name: state(name) for name in ("discovery-1", "order-service-1", "throttle-kafka")}

    assert health.addresses(stack, states)["order-service-1"] == Endpoint("127.0.0.1", 4711)

    answers["http://127.0.0.1:8761/eureka/apps"] = ok({"applications": {"application": []}})
    # It answers, and knows nobody: who is not registered is not found by callers either.
    assert health.addresses(stack, states) == {}


@pytest.mark.usefixtures("sockets")
def test_a_paused_discovery_is_not_asked(stack: Stack, answers: dict[str, HttpResponse]) -> None:
    answers["http://127.0.0.1:8761/eureka/apps"] = ok({"applications": {"application": []}})
    states = {
        "discovery-1": state("discovery-1", paused=True),
        "order-service-1": state("order-service-1"),
    }

    assert "order-service-1" in health.addresses(stack, states)


class FakeSupervisor(Supervisor):
    def __init__(self, stack: Stack, *states: State) -> None:
        super().__init__(stack)
        self._states = states

    def is_up(self) -> bool:
        return True

    def states(self) -> dict[str, State]:
        return {state.instance: state for state in self._states}


@pytest.fixture
def rows(
    monkeypatch: pytest.MonkeyPatch, stack: Stack, answers: dict[str, HttpResponse], sockets: None
) -> dict[str, status.StatusRow]:
    """Paused user-service, failing catalog-service, killed order-service, Kafka throttled."""
    for page, body in (
        ("health/readiness", {"status": "UP"}),
        ("circuitbreakers", {"circuitBreakers": {"order-service": {"state": "OPEN"}}}),
        (
            "chaosmonkey",
            {
                "chaosMonkeyProperties": {"enabled": True},
                "assaultProperties": {"exceptionsActive": True, "exceptionRate": 0.25},
            },
        ),
    ):
        answers[f"http://127.0.0.1:4711/actuator/{page}"] = ok(body)
    supervisor = FakeSupervisor(
        stack,
        state("user-service-1", paused=True),
        state("catalog-service-1"),
        State("order-service-1", "STOPPED", 0, 1, "on request", ended_by="killed"),
        state("kafka-1", paused=True),
        state("throttle-kafka"),
    )
    monkeypatch.setattr(status, "driver_of", lambda _: supervisor)
    monkeypatch.setattr(process_tree, "last_argument", lambda _: "300")
    monkeypatch.setattr(process_tree, "memory", lambda _: 0)
    return {row.instance: row for row in status.read(stack).rows}


def test_status_shows_what_is_broken_on_purpose(rows: dict[str, status.StatusRow]) -> None:
    assert {name: row.faults for name, row in rows.items() if row.faults} == {
        "user-service-1": ["paused"],
        "catalog-service-1": ["fail 25 %"],
        "order-service-1": ["killed"],
        "kafka-1": ["throttled 300 ms"],
    }
    assert rows["catalog-service-1"].breakers == {"order-service": "OPEN"}


def test_status_asks_no_paused_process(rows: dict[str, status.StatusRow]) -> None:
    paused = rows["user-service-1"]

    assert (paused.state, paused.healthy, paused.reason) == ("PAUSED", False, "paused")
    assert paused.breakers == {}


@pytest.mark.parametrize(
    ("instance", "is_new", "shown"),
    [
        ("zipkin-1", True, "STARTING"),
        ("zipkin-1", False, "RUNNING"),
        ("kafka-1", True, "RUNNING"),
    ],
)
def test_only_what_the_shop_does_without_is_shown_as_starting_and_only_at_first(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, instance: str, is_new: bool, shown: str
) -> None:
    monkeypatch.setattr(health, "check", lambda *_: health.SILENT)
    monkeypatch.setattr(process_tree, "memory", lambda _: 0)
    supervisor = FakeSupervisor(stack, replace(state(instance), is_new=is_new))
    monkeypatch.setattr(status, "driver_of", lambda _: supervisor)

    rows = {row.instance: row for row in status.read(stack).rows}
    assert (rows[instance].state, rows[instance].healthy) == (shown, False)


def test_a_throttled_process_is_not_shown_as_paused(rows: dict[str, status.StatusRow]) -> None:
    assert rows["kafka-1"].state == "RUNNING"


def test_status_shows_no_helper_and_every_part(rows: dict[str, status.StatusRow]) -> None:
    assert "throttle-kafka" not in rows
    assert rows["zipkin-1"].state == "DOWN"


def of_process(keys: int | None = None, **reached: int) -> HttpResponse:
    """What a process says of its health that knows so many keys, and reaches these."""
    named = {name.replace("_", "-"): since for name, since in reached.items()}
    components: dict[str, Any] = {"registry": {"details": {"services": [], "reached": named}}}
    if keys is not None:
        components["tokens"] = {"details": {"keys": keys}}
    return ok({"components": components})


@pytest.fixture
def rolling(answers: dict[str, HttpResponse]) -> dict[str, HttpResponse]:
    """A shop in which order-service-2 is new, and reached by all."""
    ports = {"gateway-1": 1, "user-service-1": 2, "order-service-1": 3, "order-service-2": 4}
    listed = [
        instance(name, port) | {"lastDirtyTimestamp": str(100 + port)}
        for name, port in ports.items()
    ]
    foreign = {**instance("ke-1", 9), "lastDirtyTimestamp": "1"}
    answers["http://127.0.0.1:8761/eureka/apps"] = ok(
        {"applications": {"application": [{"instance": [*listed, foreign]}]}}
    )
    for port in (1, 2, 3):
        answers[f"http://127.0.0.1:{port}/actuator/health"] = of_process(order_service_2=104)
    answers["http://127.0.0.1:4/actuator/health"] = of_process(keys=1)
    return answers


AWAKE = ("gateway-1", "user-service-1", "order-service-1", "order-service-2", "ke-1")


def test_an_instance_that_every_caller_reaches_has_nobody_late(
    stack: Stack, rolling: dict[str, HttpResponse]
) -> None:
    assert health.late_for(stack, "order-service-2", AWAKE) == []


@pytest.mark.parametrize(
    "answer",
    [
        of_process(),
        # The one that had this name before.
        of_process(order_service_2=50),
        HttpResponse(0),
        HttpResponse(503, b"busy"),
    ],
)
def test_a_caller_that_does_not_reach_the_new_one_is_named(
    stack: Stack, rolling: dict[str, HttpResponse], answer: HttpResponse
) -> None:
    rolling["http://127.0.0.1:2/actuator/health"] = answer

    assert health.late_for(stack, "order-service-2", AWAKE) == ["user-service-1"]
    assert health.late_for(stack, "order-service-2", ("gateway-1", "order-service-1")) == []


def test_a_new_one_that_can_check_no_token_yet_is_late_itself(
    stack: Stack, rolling: dict[str, HttpResponse]
) -> None:
    rolling["http://127.0.0.1:4/actuator/health"] = of_process(keys=0)

    (late,) = health.late_for(stack, "order-service-2", AWAKE)

    assert "order-service-2 itself, without the keys of user-service" in late
    assert health.late_for(stack, "order-service-2", ("gateway-1",)) == []


def test_an_instance_that_is_not_registered_is_late_at_discovery(
    stack: Stack, rolling: dict[str, HttpResponse]
) -> None:
    assert health.late_for(stack, "order-service-3", AWAKE) == ["discovery"]


def test_a_caller_of_an_older_version_is_taken_at_its_word(
    stack: Stack, rolling: dict[str, HttpResponse]
) -> None:
    older = {"components": {"registry": {"details": {"services": ["order-service"]}}}}
    rolling["http://127.0.0.1:1/actuator/health"] = ok(older)

    assert health.late_for(stack, "order-service-2", AWAKE) == []


def test_who_checks_tokens_and_lacks_a_key_is_named(
    stack: Stack, answers: dict[str, HttpResponse]
) -> None:
    names = ["gateway-1", "order-service-1", "order-service-2", "user-service-1"]
    listed = [instance(name, 4000 + number) for number, name in enumerate(names)]
    apps = [{"name": "ALL", "instance": listed}]
    answers["http://127.0.0.1:8761/eureka/apps"] = ok({"applications": {"application": apps}})
    for number, ids in enumerate((["old", "new"], ["old"], ["new"])):
        tokens = {"tokens": {"status": "UP", "details": {"keys": len(ids), "ids": ids}}}
        url = f"http://127.0.0.1:{4000 + number}/actuator/health"
        answers[url] = ok({"status": "UP", "components": tokens})

    awake = [*names, "catalog-service-1", "discovery-1", "kafka"]

    assert health.without_key(stack, "new", awake) == [
        *("order-service-1", "user-service-1"),
        "catalog-service-1",
    ]
    assert health.without_key(stack, "new", ["gateway-1", "order-service-2"]) == []
