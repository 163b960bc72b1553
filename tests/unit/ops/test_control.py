"""Instances come and go, are broken and healed, on a supervisor that stands for the real one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from fusebox import control, driver, ending, faults, health, kafka, shutdown, supervision
from fusebox.driver import State
from fusebox.errors import Fault
from fusebox.programs import Program
from fusebox.stack import Stack

PARTS = ("postgres-1", "kafka-1", "discovery-1", "gateway-1")


class Supervisor(supervision.Supervisor):
    """Keeps states and writes down what is asked of it."""

    def __init__(self, stack: Stack, *instances: str) -> None:
        super().__init__(stack)
        self.known = {name: state(name) for name in (*PARTS, *instances)}
        self.asked: list[str] = []
        self.refuses_to_start: set[str] = set()

    def is_up(self) -> bool:
        return True

    def states(self) -> dict[str, State]:
        return dict(self.known)

    def add_program(self, program: Program) -> None:
        assert program.name not in self.known
        self._note("add", program.name)
        self.known[program.name] = state(program.name, "STOPPED", pid=0)

    def remove(self, name: str) -> None:
        assert not self.known[name].pid
        self._note("remove", name)
        del self.known[name]

    def start(self, name: str) -> None:
        if name in self.refuses_to_start:
            raise Fault(f"{name} does not start")
        self._note("start", name)
        self.known[name] = state(name)

    def stop(self, name: str) -> None:
        self._end("stop", name)

    def kill(self, name: str) -> None:
        self._end("kill", name)

    def pause(self, name: str) -> None:
        self._note("pause", name)
        self.known[name] = replace(self.known[name], is_paused=True)

    def resume(self, name: str) -> bool:
        was_paused = self.known[name].is_paused
        self.known[name] = replace(self.known[name], is_paused=False)
        return was_paused

    def _end(self, how: str, name: str) -> None:
        self._note(how, name)
        self.known[name] = state(name, "STOPPED", pid=0)

    def _note(self, what: str, name: str) -> None:
        self.asked.append(f"{what} {name}")


def state(name: str, is_: str = "RUNNING", pid: int = 1) -> State:
    return State(name, is_, pid, started=1, reason="")


class Shop:
    """A supervisor with what surrounds it; nothing of it runs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, stack: Stack) -> None:
        self.stack, self._monkeypatch = stack, monkeypatch
        self.forgotten: list[str] = []
        self.asked_at_discovery = True

    def with_(self, *instances: str) -> Supervisor:
        supervisor = Supervisor(self.stack, *instances)

        def launch(_stack: Stack, _supervisor: Any, wanted: Sequence[str]) -> None:
            for name in wanted:
                supervisor.start(name)

        def registered(_: Stack) -> dict[str, Any]:
            return dict(supervisor.known) if self.asked_at_discovery else {}

        def forget(_stack: Stack, _group: str, gone: Sequence[str]) -> None:
            self.forgotten += gone

        self._monkeypatch.setattr(driver, "driver_of", lambda _: supervisor)
        self._monkeypatch.setattr(control, "launch", launch)
        self._monkeypatch.setattr(control, "HEARD_SECONDS", 0)
        self._monkeypatch.setattr(health, "registered", registered)
        self._monkeypatch.setattr(kafka, "forget_members", forget)
        return supervisor


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> Shop:
    stack.make_folders()
    return Shop(monkeypatch, stack)


def test_scaling_up_begins_what_is_missing(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")

    names = control.scale(shop.stack, "order-service", 3)

    assert names == ["order-service-1", "order-service-2", "order-service-3"]
    assert "start order-service-1" not in supervisor.asked
    assert supervisor.known["order-service-3"].is_running


def test_scaling_down_drains_the_highest_numbers_and_forgets_them(shop: Shop) -> None:
    supervisor = shop.with_(*(f"order-service-{n}" for n in range(1, 11)))

    assert control.scale(shop.stack, "order-service", 8) == [
        f"order-service-{n}" for n in range(1, 9)
    ]

    assert supervisor.asked == [
        "stop order-service-10",
        "stop order-service-9",
        "remove order-service-10",
        "remove order-service-9",
    ]
    assert shop.forgotten == ["order-service-10", "order-service-9"]


def test_scaling_to_what_there_is_changes_nothing(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1", "order-service-2")

    control.scale(shop.stack, "order-service", 2)

    assert supervisor.asked == shop.forgotten == []


def test_scaling_brings_back_who_is_dead(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")
    supervisor.known["order-service-1"] = state("order-service-1", "STOPPED", pid=0)

    control.scale(shop.stack, "order-service", 1)

    assert supervisor.asked == ["start order-service-1"]


@pytest.mark.parametrize("number", [0, -1, 17])
def test_no_instance_at_all_or_far_too_many_are_refused(shop: Shop, number: int) -> None:
    shop.with_("order-service-1")
    with pytest.raises(Fault, match=f"{number} instances") as refusal:
        control.scale(shop.stack, "order-service", number)

    assert refusal.value.exit_code == 2
    assert "make stop SERVICE=order-service" in refusal.value.remedy


@pytest.mark.parametrize("name", ["gateway", "discovery", "config-server", "kafka"])
def test_what_has_a_fixed_port_is_neither_scaled_nor_rolled(shop: Shop, name: str) -> None:
    for verb in (
        lambda: control.scale(shop.stack, name, 2),
        lambda: control.roll(shop.stack, name),
    ):
        with pytest.raises(Fault, match="one fixed port") as refusal:
            verb()
        assert refusal.value.exit_code == 2


def test_a_roll_begins_one_more_before_it_stops_any(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1", "order-service-2")

    assert control.roll(shop.stack, "order-service") == ["order-service-1", "order-service-2"]

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


def test_a_roll_that_gets_stuck_leaves_the_one_more_serving(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")
    supervisor.refuses_to_start = {"order-service-1"}
    with pytest.raises(Fault, match="order-service-1 does not start") as stuck:
        control.roll(shop.stack, "order-service")

    assert supervisor.known["order-service-2"].is_running
    assert "make scale SERVICE=order-service N=1" in stuck.value.remedy


def test_nothing_is_rolled_that_callers_would_not_hear_of(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")
    shop.asked_at_discovery = False
    with pytest.raises(Fault, match="discovery does not answer"):
        control.roll(shop.stack, "order-service")

    assert supervisor.asked == []


def test_a_paused_instance_goes_on_when_it_is_started(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")
    faults.pause(shop.stack, "order-service")

    control.start(shop.stack, "order-service", None)

    assert not supervisor.known["order-service-1"].is_paused


def test_what_is_dead_or_paused_cannot_be_made_slow(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")
    faults.pause(shop.stack, "order-service")
    for break_ in (
        lambda: faults.slow(shop.stack, "order-service", 300),
        lambda: faults.fail(shop.stack, "order-service", 0.5),
    ):
        with pytest.raises(Fault, match="paused, or not running") as refusal:
            break_()
        assert refusal.value.remedy == "make heal SERVICE=order-service"
    supervisor.stop("kafka-1")
    with pytest.raises(Fault, match="kafka-1 cannot be broken further"):
        faults.slow(shop.stack, "kafka", 300)


@pytest.mark.parametrize("name", ["kafka", "postgres", "zipkin"])
def test_what_is_not_ours_cannot_be_told_to_fail(shop: Shop, name: str) -> None:
    with pytest.raises(Fault, match="is not ours") as refusal:
        faults.fail(shop.stack, name, 0.5)

    assert refusal.value.exit_code == 2
    assert f"SERVICE={name}" in refusal.value.remedy


def test_a_share_above_1_and_a_delay_of_hours_are_refused(shop: Shop) -> None:
    for break_ in (
        lambda: faults.fail(shop.stack, "gateway", 50),
        lambda: faults.slow(shop.stack, "gateway", 10**7),
        lambda: faults.slow(shop.stack, "gateway", 0),
    ):
        with pytest.raises(Fault) as refusal:
            break_()
        assert refusal.value.exit_code == 2


def test_kafka_is_braked_by_a_helper_that_knows_its_pid(shop: Shop) -> None:
    supervisor = shop.with_()

    assert faults.slow(shop.stack, "kafka", 300) == ["kafka-1"]
    faults.slow(shop.stack, "kafka", 400)  # in the place of the other

    assert supervisor.asked == [
        "add brake-kafka",
        "start brake-kafka",
        "stop brake-kafka",
        "remove brake-kafka",
        "add brake-kafka",
        "start brake-kafka",
    ]


def test_kafka_is_not_braked_beyond_its_session(shop: Shop) -> None:
    supervisor = shop.with_()
    with pytest.raises(Fault, match="1500 ms") as refusal:
        faults.slow(shop.stack, "kafka", 2_000)

    assert refusal.value.exit_code == 2
    assert supervisor.asked == []


@pytest.mark.parametrize(
    "end",
    [lambda stack: control.stop(stack, "kafka", None), lambda stack: faults.pause(stack, "kafka")],
)
def test_a_brake_is_taken_off_before_its_part_is_stopped_or_paused(shop: Shop, end: Any) -> None:
    supervisor = shop.with_()
    faults.slow(shop.stack, "kafka", 300)
    end(shop.stack)

    assert supervisor.asked[2:4] == ["stop brake-kafka", "remove brake-kafka"]
    assert supervisor.asked[4] in ("stop kafka-1", "pause kafka-1")


def test_a_killed_part_loses_its_brake(shop: Shop) -> None:
    supervisor = shop.with_()
    faults.slow(shop.stack, "kafka", 300)

    control.kill(shop.stack, "kafka", None)

    assert "brake-kafka" not in supervisor.known


def test_healing_lets_go_on_takes_off_and_starts(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")
    faults.slow(shop.stack, "kafka", 300)
    faults.pause(shop.stack, "order-service")
    control.kill(shop.stack, "postgres", None)
    supervisor.known.pop("gateway-1")
    supervisor.known.pop("discovery-1")

    assert faults.heal(shop.stack) == [
        "kafka-1 runs without its brake",
        "order-service-1 goes on",
        "postgres-1 is healthy",
    ]
    assert faults.heal(shop.stack) == []


def test_healing_one_part_leaves_the_others_broken(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")
    faults.pause(shop.stack, "order-service")
    control.kill(shop.stack, "postgres", None)

    assert faults.heal(shop.stack, "postgres") == ["postgres-1 is healthy"]
    assert supervisor.known["order-service-1"].is_paused


def test_down_first_ends_the_brakes_and_lets_the_paused_go_on(shop: Shop) -> None:
    supervisor = shop.with_("order-service-1")
    faults.slow(shop.stack, "postgres", 300)
    faults.pause(shop.stack, "kafka")
    supervisor.asked.clear()

    shutdown._stop_in_order(supervisor)

    assert supervisor.asked[0] == "stop brake-postgres"
    assert {*supervisor.asked[1:3]} == {"stop order-service-1", "stop gateway-1"}
    assert {*supervisor.asked[3:]} == {"stop kafka-1", "stop postgres-1", "stop discovery-1"}
    assert not any(each.is_paused for each in supervisor.known.values())


def test_withdrawing_nobody_asks_nothing(shop: Shop) -> None:
    supervisor = shop.with_()

    ending.withdraw(supervisor, [])

    assert supervisor.asked == []
