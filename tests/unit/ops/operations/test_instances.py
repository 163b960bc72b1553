"""Instances come and go, on a supervisor that stands for the real one."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from fusebox.core.errors import Fault
from fusebox.operations import faults, instances
from fusebox.runtime import stopper

from ..fake_supervisor import ShopWithFakes, Verb, state


def test_scaling_up_begins_what_is_missing(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")

    names = instances.scale(shop.stack, "order-service", 3)

    assert names == ["order-service-1", "order-service-2", "order-service-3"]
    assert "start order-service-1" not in supervisor.asked
    assert supervisor.known["order-service-3"].is_running


def test_scaling_down_drains_the_highest_numbers_and_forgets_them(shop: ShopWithFakes) -> None:
    supervisor = shop.with_(*(f"order-service-{n}" for n in range(1, 11)))

    assert instances.scale(shop.stack, "order-service", 8) == [
        f"order-service-{n}" for n in range(1, 9)
    ]

    assert supervisor.asked == [
        "stop order-service-10",
        "stop order-service-9",
        "remove order-service-10",
        "remove order-service-9",
    ]
    assert shop.forgotten == ["order-service-10", "order-service-9"]


def test_scaling_to_what_there_is_changes_nothing(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1", "order-service-2")

    instances.scale(shop.stack, "order-service", 2)

    assert supervisor.asked == shop.forgotten == []


def test_scaling_brings_back_who_is_dead(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    supervisor.known["order-service-1"] = state("order-service-1", "STOPPED", pid=0)

    instances.scale(shop.stack, "order-service", 1)

    assert supervisor.asked == ["start order-service-1"]


@pytest.mark.parametrize("number", [0, -1, 17])
def test_no_instance_at_all_or_far_too_many_are_refused(shop: ShopWithFakes, number: int) -> None:
    shop.with_("order-service-1")
    with pytest.raises(Fault, match=f"{number} instances") as refusal:
        instances.scale(shop.stack, "order-service", number)

    assert refusal.value.exit_code == 2
    assert "make stop SERVICE=order-service" in refusal.value.remedy


@pytest.mark.parametrize("name", ["gateway", "discovery", "config-server", "kafka"])
def test_what_has_a_fixed_port_is_neither_scaled_nor_rolled(shop: ShopWithFakes, name: str) -> None:
    verbs: list[Verb] = [
        lambda: instances.scale(shop.stack, name, 2),
        lambda: instances.roll(shop.stack, name),
    ]
    for verb in verbs:
        with pytest.raises(Fault, match="one fixed port") as refusal:
            verb()
        assert refusal.value.exit_code == 2


def test_a_roll_begins_one_more_before_it_stops_any(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1", "order-service-2")

    assert instances.roll(shop.stack, "order-service") == ["order-service-1", "order-service-2"]

    assert supervisor.asked == [
        "add order-service-3",
        "start order-service-3",
        "stop order-service-1",
        "start order-service-1",
        "stop order-service-2",
        "start order-service-2",
        "stop order-service-3",
        "remove order-service-3",
    ]


def test_a_roll_stops_nobody_before_every_caller_reaches_the_new_one(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    asked_when_late: list[list[str]] = []

    class Late(list[list[str]]):
        def pop(self, _index: Any = -1) -> list[str]:
            asked_when_late.append(list(supervisor.asked))
            return super().pop(0)

    shop.late["order-service-2"] = Late([["discovery"], ["gateway-1", "user-service-1"], []])

    instances.roll(shop.stack, "order-service")

    assert asked_when_late == [["add order-service-2", "start order-service-2"]] * 3


def test_a_new_instance_that_callers_do_not_reach_ends_the_roll_with_their_names(
    shop: ShopWithFakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor = shop.with_("order-service-1")
    monkeypatch.setattr(instances, "REACHED_SECONDS", 0.01)
    shop.late["order-service-2"] = [["gateway-1", "user-service-1"]] * 1000

    with pytest.raises(Fault, match="is not reached by gateway-1, user-service-1") as stuck:
        instances.roll(shop.stack, "order-service")

    assert "stop order-service-1" not in supervisor.asked
    assert "make scale SERVICE=order-service N=1" in stuck.value.remedy


def test_rolls_at_once_have_one_instance_coming_or_going_at_a_time(shop: ShopWithFakes) -> None:
    services = ("order-service", "catalog-service", "user-service")
    supervisor = shop.with_(*(f"{service}-1" for service in services))

    with ThreadPoolExecutor(len(services)) as pool:
        list(pool.map(lambda service: instances.roll(shop.stack, service), services))

    steps = [step for step in supervisor.asked if step.startswith(("stop", "start"))]
    for service in services:
        restart = steps.index(f"stop {service}-1")
        assert steps[restart + 1] == f"start {service}-1"


def test_a_started_instance_is_waited_for_until_callers_reach_it(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    instances.kill(shop.stack, "order-service", None)
    shop.late["order-service-1"] = [["gateway-1"], []]

    instances.start(shop.stack, "order-service", None)

    assert supervisor.known["order-service-1"].is_running
    assert shop.late["order-service-1"] == []


def test_while_discovery_is_away_an_instance_is_started_all_the_same(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    instances.kill(shop.stack, "order-service", None)
    shop.asked_at_discovery = False
    shop.late["order-service-1"] = [["discovery"]] * 1000

    instances.start(shop.stack, "order-service", None)

    assert supervisor.known["order-service-1"].is_running


def test_a_roll_that_gets_stuck_leaves_the_one_more_serving(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    supervisor.refuses_to_start = {"order-service-1"}
    with pytest.raises(Fault, match="order-service-1 does not start") as stuck:
        instances.roll(shop.stack, "order-service")

    assert supervisor.known["order-service-2"].is_running
    assert "make scale SERVICE=order-service N=1" in stuck.value.remedy


def test_a_roll_that_had_to_kill_says_so(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1", "order-service-2")
    supervisor.outlasts_its_time.add("order-service-2")

    with pytest.raises(Fault, match="order-service-2 had not finished in time") as raised:
        instances.roll(shop.stack, "order-service")

    assert "make logs SERVICE=order-service" in raised.value.remedy
    assert supervisor.known["order-service-2"].is_running
    assert "order-service-3" not in supervisor.known


def test_nothing_is_rolled_that_callers_would_not_hear_of(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    shop.asked_at_discovery = False
    with pytest.raises(Fault, match="discovery does not answer"):
        instances.roll(shop.stack, "order-service")

    assert supervisor.asked == []


def test_a_paused_instance_goes_on_when_it_is_started(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    faults.pause(shop.stack, "order-service")

    instances.start(shop.stack, "order-service", None)

    assert not supervisor.known["order-service-1"].is_paused


def test_withdrawing_nobody_asks_nothing(shop: ShopWithFakes) -> None:
    supervisor = shop.with_()

    stopper.withdraw(supervisor, [])

    assert supervisor.asked == []
