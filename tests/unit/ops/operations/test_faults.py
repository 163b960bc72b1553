"""Parts are paused, slowed and throttled, refused where that cannot be, and healed."""

from typing import Any

import pytest

from fusebox.core.errors import Fault
from fusebox.native import startup
from fusebox.operations import faults, instances

from ..fake_supervisor import ShopWithFakes, Verb


def test_what_is_dead_or_paused_cannot_be_made_slow(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    faults.pause(shop.stack, "order-service")
    breaks: list[Verb] = [
        lambda: faults.slow(shop.stack, "order-service", 300),
        lambda: faults.fail(shop.stack, "order-service", 0.5),
    ]
    for break_ in breaks:
        with pytest.raises(Fault, match="paused, or not running") as refusal:
            break_()
        assert refusal.value.remedy == "make heal SERVICE=order-service"
    supervisor.stop("kafka-1")
    with pytest.raises(Fault, match="kafka-1 cannot be broken further"):
        faults.slow(shop.stack, "kafka", 300)


@pytest.mark.parametrize("name", ["kafka", "postgres", "zipkin"])
def test_what_is_not_ours_cannot_be_told_to_fail(shop: ShopWithFakes, name: str) -> None:
    with pytest.raises(Fault, match="is not ours") as refusal:
        faults.fail(shop.stack, name, 0.5)

    assert refusal.value.exit_code == 2
    assert f"SERVICE={name}" in refusal.value.remedy


def test_a_share_above_1_and_a_delay_of_hours_are_refused(shop: ShopWithFakes) -> None:
    breaks: list[Verb] = [
        lambda: faults.fail(shop.stack, "gateway", 50),
        lambda: faults.slow(shop.stack, "gateway", 10**7),
        lambda: faults.slow(shop.stack, "gateway", 0),
    ]
    for break_ in breaks:
        with pytest.raises(Fault) as refusal:
            break_()
        assert refusal.value.exit_code == 2


def test_kafka_is_throttled_by_a_helper_that_knows_its_pid(shop: ShopWithFakes) -> None:
    supervisor = shop.with_()

    assert faults.slow(shop.stack, "kafka", 300) == ["kafka-1"]
    faults.slow(shop.stack, "kafka", 400)  # in the place of the other

    assert supervisor.asked == [
        "add throttle-kafka",
        "start throttle-kafka",
        "stop throttle-kafka",
        "remove throttle-kafka",
        "add throttle-kafka",
        "start throttle-kafka",
    ]


def test_kafka_is_not_throttled_beyond_its_session(shop: ShopWithFakes) -> None:
    supervisor = shop.with_()
    with pytest.raises(Fault, match="1500 ms") as refusal:
        faults.slow(shop.stack, "kafka", 2_000)

    assert refusal.value.exit_code == 2
    assert supervisor.asked == []


@pytest.mark.parametrize(
    "end",
    [
        lambda stack: instances.stop(stack, "kafka", None),
        lambda stack: faults.pause(stack, "kafka"),
    ],
)
def test_a_throttle_is_taken_off_before_its_part_is_stopped_or_paused(
    shop: ShopWithFakes, end: Any
) -> None:
    supervisor = shop.with_()
    faults.slow(shop.stack, "kafka", 300)
    end(shop.stack)

    assert supervisor.asked[2:4] == ["stop throttle-kafka", "remove throttle-kafka"]
    assert supervisor.asked[4] in ("stop kafka-1", "pause kafka-1")


def test_a_killed_part_loses_its_throttle(shop: ShopWithFakes) -> None:
    supervisor = shop.with_()
    faults.slow(shop.stack, "kafka", 300)

    instances.kill(shop.stack, "kafka", None)

    assert "throttle-kafka" not in supervisor.known


def test_healing_lets_go_on_takes_off_and_starts(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    faults.slow(shop.stack, "kafka", 300)
    faults.pause(shop.stack, "order-service")
    instances.kill(shop.stack, "postgres", None)
    supervisor.known.pop("gateway-1")
    supervisor.known.pop("discovery-1")

    assert faults.heal(shop.stack) == [
        "kafka-1 is no longer throttled",
        "order-service-1 goes on",
        "postgres-1 is healthy",
    ]
    assert faults.heal(shop.stack) == []


def test_healing_one_part_leaves_the_others_broken(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    faults.pause(shop.stack, "order-service")
    instances.kill(shop.stack, "postgres", None)

    assert faults.heal(shop.stack, "postgres") == ["postgres-1 is healthy"]
    assert supervisor.known["order-service-1"].is_paused


def test_down_first_ends_the_throttles_and_lets_the_paused_go_on(shop: ShopWithFakes) -> None:
    supervisor = shop.with_("order-service-1")
    faults.slow(shop.stack, "postgres", 300)
    faults.pause(shop.stack, "kafka")
    supervisor.asked.clear()

    startup._stop_in_order(supervisor)

    assert supervisor.asked[0] == "stop throttle-postgres"
    assert {*supervisor.asked[1:3]} == {"stop order-service-1", "stop gateway-1"}
    assert {*supervisor.asked[3:]} == {"stop kafka-1", "stop postgres-1", "stop discovery-1"}
    assert not any(process.is_paused for process in supervisor.known.values())
