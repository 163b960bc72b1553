"""Instances come and go, on a supervisor that stands for the real one."""

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
