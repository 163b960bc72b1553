"""The picture that the page draws: parts, arrows, breakers, faults and what just happened."""

from typing import Any

import pytest

from panel.model.facts import (
    Facts,
    InstanceLook,
    PartFacts,
    ProcessFacts,
    Registration,
    TopicFacts,
)
from panel.model.history import EVENTS_KEPT, History
from panel.model.picture import picture
from panel.model.windows import CallCounts, CallWindow

NOW = 1_000_000.0
RUNNING = ProcessFacts(is_running=True)
BREAKER = {
    "state": "CLOSED",
    "failureRate": "-1.0%",
    "failureRateThreshold": "25.0%",
    "bufferedCalls": 2,
    "failuresInARow": 2,
    "failMax": 5,
    "minimumNumberOfCalls": 20,
    "secondsToProbe": 0.0,
}


def facts(*instances: str) -> Facts:
    """A shop of which these instances are up."""
    shop = Facts(
        parts=(
            PartFacts("gateway", "gateway", (("page", "http://127.0.0.1:8000/"),), ("gateway-1",)),
            PartFacts("order-service", "service", has_database=True),
            PartFacts("catalog-service", "service", has_database=True),
            PartFacts("kafka", "kafka", fixed=("kafka-1",), is_ours=False),
        ),
        topics=(TopicFacts("orders", ("order-service",), ("catalog-service",), "orders.dead"),),
        zipkin="http://127.0.0.1:9411",
        registry=tuple(
            Registration(name, name.rpartition("-")[0], "127.0.0.1", 4000 + place)
            for place, name in enumerate(instances)
        ),
        registry_at=NOW - 0.4,
    )
    for name in (*instances, "gateway-1", "kafka-1"):
        shop.of(name).look = InstanceLook(NOW)
        shop.of(name).health = {"status": "UP", "components": {"db": {"status": "UP"}}}
    return shop


def part(shop: Facts, name: str) -> dict[str, Any]:
    [found_part] = [part for part in picture(shop, NOW)["parts"] if part["name"] == name]
    return dict(found_part)


def test_a_part_is_up_when_all_its_instances_are() -> None:
    shop = facts("order-service-1", "order-service-2")

    order_service = part(shop, "order-service")

    assert (order_service["state"], order_service["reason"]) == ("up", None)
    assert [one["id"] for one in order_service["instances"]] == [
        "order-service-1",
        "order-service-2",
    ]


def test_a_part_with_a_dead_instance_is_degraded_and_says_which_and_why() -> None:
    shop = facts("order-service-1", "order-service-2")
    shop.of("order-service-2").look = InstanceLook(NOW, "takes no connections")

    order_service = part(shop, "order-service")

    assert order_service["state"] == "degraded"
    assert order_service["reason"] == "order-service-2: takes no connections"


def test_a_component_that_is_down_degrades_its_instance() -> None:
    shop = facts("order-service-1")
    shop.of("order-service-1").health = {
        "status": "UP",
        "components": {"outbox": {"status": "UNKNOWN", "details": {"error": "Kafka is away"}}},
    }

    [instance] = part(shop, "order-service")["instances"]

    assert (instance["state"], instance["reason"]) == ("degraded", "outbox: Kafka is away")


@pytest.mark.parametrize(
    ("process", "state", "kind"),
    [
        (ProcessFacts(False, ended_by="killed"), "down", "kill"),
        (ProcessFacts(False, ended_by="stopped"), "stopped", "stop"),
        (ProcessFacts(True, is_paused=True), "paused", "pause"),
    ],
)
def test_what_was_done_to_a_process_is_its_state_and_a_fault(
    process: ProcessFacts, state: str, kind: str
) -> None:
    shop = facts("catalog-service-1")
    shop.processes = {"catalog-service-1": process}

    assert part(shop, "catalog-service")["state"] == state
    [fault] = picture(shop, NOW)["faults"]
    assert (fault["service"], fault["kind"]) == ("catalog-service", kind)
    assert fault["command"] == f"make {kind} SERVICE=catalog-service INSTANCE=1"


def test_a_killed_instance_is_shown_though_the_registry_has_forgotten_it() -> None:
    shop = facts()
    shop.processes = {"catalog-service-1": ProcessFacts(False, ended_by="killed")}

    [instance] = part(shop, "catalog-service")["instances"]

    assert instance["id"] == "catalog-service-1"
    assert instance["reason"] == "killed on purpose"


def test_who_has_just_been_started_is_starting_and_not_down() -> None:
    shop = facts("order-service-1")
    shop.processes = {"order-service-1": ProcessFacts(True, is_starting=True)}
    shop.of("order-service-1").look = InstanceLook(NOW, "takes no connections")

    assert part(shop, "order-service")["state"] == "starting"


def test_of_a_part_nobody_knows_anything_of_nothing_is_said() -> None:
    shop = facts()
    shop.instances.pop("kafka-1")

    assert part(shop, "kafka")["state"] == "unknown"


@pytest.mark.parametrize(
    ("assault", "kind", "command"),
    [
        ("slow 800 ms", "slow", "make slow SERVICE=order-service INSTANCE=1 MS=800"),
        ("fail 30 %", "fail", "make fail SERVICE=order-service INSTANCE=1 RATE=0.3"),
    ],
)
def test_an_assault_is_a_fault_in_words_with_its_command(
    assault: str, kind: str, command: str
) -> None:
    shop = facts("order-service-1")
    shop.of("order-service-1").assaults = (assault,)

    [fault] = picture(shop, NOW)["faults"]

    assert (fault["kind"], fault["command"]) == (kind, command)
    assert "order-service-1" in fault["text"]


def test_a_fault_has_one_beginning() -> None:
    shop = facts("order-service-1")
    shop.of("order-service-1").assaults = ("slow 800 ms",)

    first, later = (picture(shop, NOW + seconds)["faults"][0] for seconds in (0, 60))
    shop.of("order-service-1").assaults = ()
    picture(shop, NOW + 61)

    assert first["since"] == later["since"]
    assert shop.faults_since == {}


def test_what_halts_again_and_again_is_slow() -> None:
    shop = facts()
    shop.throttles = {"kafka": 700}

    [fault] = picture(shop, NOW)["faults"]

    assert fault["command"] == "make slow SERVICE=kafka MS=700"


def test_a_breaker_shows_its_count_and_the_time_to_its_trial() -> None:
    shop = facts("order-service-1")
    known = shop.of("order-service-1")
    known.breakers = {"catalog-service": BREAKER}
    [closed] = picture(shop, NOW)["breakers"]
    known.breakers = {"catalog-service": {**BREAKER, "state": "OPEN", "secondsToProbe": 7.3}}
    known.last_failures = {"catalog-service": "refused"}
    [opened] = picture(shop, NOW)["breakers"]

    assert (closed["owner"], closed["name"]) == ("order-service-1", "catalog-service")
    assert (closed["failures"], closed["failMax"]) == (2, 5)
    assert (closed["failureRate"], closed["threshold"], closed["minimumCalls"]) == (None, 25.0, 20)
    assert closed["nextTrialIn"] is None
    assert (opened["nextTrialIn"], opened["lastFailure"]) == (7.3, "refused")


def calls(count: int, errors: int = 0) -> CallWindow:
    window = CallWindow()
    window.add(NOW - 10, CallCounts(0))
    window.add(NOW, CallCounts(count, errors))
    return window


def test_an_arrow_is_what_all_instances_of_the_caller_count() -> None:
    shop = facts("order-service-1", "order-service-2")
    shop.of("order-service-1").calls = {"catalog-service": calls(30)}
    shop.of("order-service-2").calls = {"catalog-service": calls(10, errors=10)}

    [arrow] = [
        arrow
        for arrow in picture(shop, NOW)["arrows"]
        if (arrow["from"], arrow["to"]) == ("order-service", "catalog-service")
    ]

    assert (arrow["kind"], arrow["rate"], arrow["errors"]) == ("http", 4.0, 0.25)


def test_a_canary_is_called_on_the_arrow_of_its_service() -> None:
    shop = facts("order-service-1")
    shop.of("gateway-1").calls = {
        "catalog-service": calls(10),
        "catalog-service canary": calls(10),
    }

    arrows = [arrow for arrow in picture(shop, NOW)["arrows"] if arrow["from"] == "gateway"]

    assert {arrow["to"]: arrow["rate"] for arrow in arrows if arrow["kind"] == "http"} == {
        "catalog-service": 2.0,
        "order-service": None,
    }


def test_a_topic_leads_from_who_publishes_to_who_reads() -> None:
    shop = facts("order-service-1", "catalog-service-1")
    shop.published["orders"] = calls(20)
    shop.lags["orders", "catalog-service"] = 3

    document = picture(shop, NOW)
    ways = {
        (arrow["from"], arrow["to"]): arrow["rate"]
        for arrow in document["arrows"]
        if arrow["topic"] == "orders"
    }

    assert ways == {("order-service", "kafka"): 2.0, ("kafka", "catalog-service"): 2.0}
    assert part(shop, "catalog-service")["consumers"] == [
        {"topic": "orders", "group": "catalog-service", "lag": 3}
    ]


def test_history_tells_each_change_once() -> None:
    shop, history = facts("catalog-service-1", "order-service-1"), History()
    known = shop.of("order-service-1")
    known.breakers = {"catalog-service": BREAKER}
    history.compare(picture(shop, NOW))
    assert not history.events

    shop.processes = {"catalog-service-1": ProcessFacts(False, ended_by="killed")}
    history.compare(picture(shop, NOW + 1))
    known.breakers = {"catalog-service": {**BREAKER, "state": "OPEN"}}
    known.last_failures = {"catalog-service": "refused"}
    history.compare(picture(shop, NOW + 2))
    history.compare(picture(shop, NOW + 3))
    shop.processes = {"catalog-service-1": RUNNING}
    known.breakers = {"catalog-service": {**BREAKER, "state": "HALF_OPEN"}}
    history.compare(picture(shop, NOW + 4))
    known.breakers = {"catalog-service": BREAKER}
    shop.dead = {"orders": 0}
    history.compare(picture(shop, NOW + 5))
    shop.dead = {"orders": 2}
    history.compare(picture(shop, NOW + 6))

    assert [event["kind"] for event in reversed(history.events)] == [
        "instance-gone",
        "fault-applied",
        "breaker-opened",
        "instance-come",
        "breaker-trial",
        "fault-healed",
        "breaker-closed",
        "dead-letter",
    ]
    assert "refused" in history.events[5]["text"]


def test_a_key_that_several_services_take_over_is_one_event() -> None:
    history = History()
    for service in ("gateway", "order-service", "order-service"):
        history.configuration_changed("2026-01-01T00:00:00Z", service, ["fusebox.breaker.fail-max"])

    newest, first = history.events
    assert first["text"] == "fusebox.breaker.fail-max has changed"
    assert first["subject"] == "gateway, order-service"
    assert newest["subject"] == "order-service", "the same service once more is another change"


def test_history_does_not_grow() -> None:
    history = History()
    for number in range(3 * EVENTS_KEPT):
        history.add("", "instance-come", f"order-service-{number}", "is there")

    assert len(history.events) == EVENTS_KEPT
    assert history.events[0]["subject"] == f"order-service-{3 * EVENTS_KEPT - 1}"


def test_who_is_gone_for_good_takes_no_room() -> None:
    shop = facts("order-service-1")
    for number in range(2, 100):
        shop.of(f"order-service-{number}")
    shop.forget_strangers()

    assert set(shop.instances) == {"order-service-1", "gateway-1", "kafka-1"}


def test_registry_that_keeps_everybody_is_told() -> None:
    shop, history = facts("order-service-1"), History()
    history.compare(picture(shop, NOW))
    shop.of("order-service-1").self_preservation = True
    history.compare(picture(shop, NOW))

    assert history.events[0]["kind"] == "self-preservation"
