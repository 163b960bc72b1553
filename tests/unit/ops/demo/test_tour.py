"""The tour: its order, its end at the first broken promise, and that it mends what it broke."""

import io
import threading
from collections.abc import Callable

import pytest
import requests
from click.testing import CliRunner

from fusebox.cli.main import cli
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.demo.assertions import BrokenPromise, Order
from fusebox.demo.command import demo
from fusebox.demo.console import Stage
from fusebox.demo.context import Scene, Step
from fusebox.demo.faults import Breakage
from fusebox.demo.inspection import Looking
from fusebox.demo.load import Flow, all_at_once
from fusebox.demo.records import Records
from fusebox.demo.shop_actions import Trading
from fusebox.demo.steps import STEPS
from fusebox.demo.tour import lead, refuse_broken
from fusebox.operations.status import Row


class FakeHands:
    """A shop of names: who runs, and what was done."""

    def __init__(self, *instances: str) -> None:
        self.running = dict.fromkeys(instances, True)
        self.done: list[str] = []
        self.refusing = ""

    def instances(self, service: str) -> list[str]:
        return [each for each in self.running if each.rpartition("-")[0] == service]

    def kill(self, service: str, number: int | None) -> None:
        for each in self.instances(service):
            if number is None or each == f"{service}-{number}":
                self.running[each] = False
        self._do(f"kill {service}")

    def start(self, service: str) -> None:
        self._do(f"start {service}")
        self.running |= dict.fromkeys(self.instances(service), True)

    def scale(self, service: str, number: int) -> None:
        self._do(f"scale {service} {number}")
        for each in self.instances(service):
            del self.running[each]
        self.running |= {f"{service}-{each}": True for each in range(1, number + 1)}

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what == self.refusing:
            raise Fault(f"cannot {what}")


@pytest.fixture
def hands() -> FakeHands:
    return FakeHands("catalog-service-1", "order-service-1", "order-service-2", "kafka-1")


@pytest.fixture
def scene(stack: Stack, hands: FakeHands) -> Scene:
    stage = Stage(io.StringIO())
    return Scene(stack, stage, Breakage(hands), Trading(stack), Looking(stack), Records(stack))


def told(scene: Scene) -> str:
    assert isinstance(scene.stage.out, io.StringIO)
    return scene.stage.out.getvalue()


def mended(breakage: Breakage) -> list[str]:
    told: list[str] = []
    breakage.mend(told.append)
    return told


def step(play: Callable[[Scene], None], continues: bool = False) -> Step:
    return Step("a step", "because", play, continues)


def kill_catalog(scene: Scene) -> None:
    scene.breakage.kill("catalog-service")


def hold(scene: Scene) -> None:
    scene.stage.hold("It holds.", True, "seen")


def test_what_was_killed_is_started_again(hands: FakeHands) -> None:
    breakage = Breakage(hands)
    breakage.kill("order-service")

    assert mended(breakage) == ["order-service is brought back"]
    assert all(hands.running.values())
    assert breakage.is_whole


def test_a_killed_instance_that_was_only_scaled_up_is_scaled_away(hands: FakeHands) -> None:
    breakage = Breakage(hands)
    breakage.scale("catalog-service", 2)
    breakage.kill("catalog-service", 2)

    assert mended(breakage) == ["catalog-service is scaled back to 1"]
    assert hands.instances("catalog-service") == ["catalog-service-1"]


def test_what_the_step_has_started_itself_is_not_mended(hands: FakeHands) -> None:
    breakage = Breakage(hands)
    breakage.kill("kafka")
    breakage.start("kafka")

    assert breakage.is_whole
    assert hands.done == ["kill kafka", "start kafka"]


def test_the_number_of_instances_that_there_is_already_is_no_change(hands: FakeHands) -> None:
    breakage = Breakage(hands)
    breakage.scale("order-service", 2)

    assert breakage.is_whole
    assert hands.done == []


def test_a_kill_that_was_interrupted_is_mended_too(hands: FakeHands) -> None:
    breakage = Breakage(hands)
    hands.refusing = "kill kafka"
    with pytest.raises(Fault, match="cannot kill"):
        breakage.kill("kafka")

    assert mended(breakage) == ["kafka is brought back"]


def test_everything_is_mended_that_can_be_and_the_rest_is_told(hands: FakeHands) -> None:
    breakage = Breakage(hands)
    breakage.scale("order-service", 1)
    breakage.kill("kafka")
    hands.refusing = "scale order-service 2"

    with pytest.raises(Fault, match="could not mend") as fault:
        mended(breakage)

    assert hands.running["kafka-1"]
    assert fault.value.remedy == "make heal"


def test_a_step_is_mended_before_the_next_begins(scene: Scene, hands: FakeHands) -> None:
    def look(scene: Scene) -> None:
        hands.done.append("look")

    lead(scene, [step(kill_catalog), step(look)], [1, 2])

    assert hands.done == ["kill catalog-service", "start catalog-service", "look"]


def test_a_step_that_continues_finds_what_the_one_before_left(
    scene: Scene, hands: FakeHands
) -> None:
    def look(scene: Scene) -> None:
        hands.done.append("look")

    lead(scene, [step(kill_catalog), step(look, continues=True)], [1, 2])

    assert hands.done == ["kill catalog-service", "look", "start catalog-service"]


def test_one_step_is_played_alone(scene: Scene) -> None:
    lead(scene, [step(kill_catalog), step(hold)], [2])

    assert "2 of 2" in told(scene)
    assert "1 of 2" not in told(scene)
    assert "All 1 promises were kept" in told(scene)


def break_a_promise(scene: Scene) -> None:
    kill_catalog(scene)
    scene.stage.hold("It holds.", False, "it does not")


def interrupt(scene: Scene) -> None:
    kill_catalog(scene)
    raise KeyboardInterrupt


ENDS = [(break_a_promise, BrokenPromise), (interrupt, KeyboardInterrupt)]


@pytest.mark.parametrize(("play", "end"), ENDS)
def test_whatever_ends_the_tour_nothing_stays_broken(
    scene: Scene, hands: FakeHands, play: Callable[[Scene], None], end: type[BaseException]
) -> None:
    with pytest.raises(end):
        lead(scene, [step(play), step(hold)], [1, 2])

    assert all(hands.running.values())
    assert "2 of 2" not in told(scene)
    assert "were kept" not in told(scene)


def test_a_gateway_that_is_gone_is_told_without_a_traceback(scene: Scene) -> None:
    def lose(scene: Scene) -> None:
        raise requests.ConnectionError("refused")

    with pytest.raises(Fault, match="step 1: refused"):
        lead(scene, [step(lose)], [1])


def row(instance: str, healthy: bool = True, **given: object) -> Row:
    service = instance.rpartition("-")[0]
    return Row(service, instance, "RUNNING", healthy, **given)  # type: ignore[arg-type]


TROUBLES = [
    (row("kafka-1", False, faults=["killed"]), "kafka-1: killed"),
    (row("catalog-service-1", faults=["slow 300 ms"]), "catalog-service-1: slow 300 ms"),
    (row("zipkin-1", False, reason="does not answer"), "zipkin-1: does not answer"),
    (
        row("order-service-1", breakers={"catalog-service": "FORCED_OPEN"}),
        "order-service-1: breaker catalog-service FORCED_OPEN",
    ),
]


@pytest.mark.parametrize(("wrong", "told"), TROUBLES)
def test_a_shop_that_is_not_in_order_is_no_place_for_a_tour(wrong: Row, told: str) -> None:
    with pytest.raises(Fault, match="not in order") as fault:
        refuse_broken([row("gateway-1"), wrong])

    assert fault.value.where.strip() == told
    assert "make heal" in fault.value.remedy


def test_a_shop_in_order_is_toured_even_with_an_open_breaker() -> None:
    refuse_broken([row("gateway-1", breakers={"catalog-service": "OPEN"})])


def test_a_shop_that_is_down_is_told_so(stack: Stack) -> None:
    done = CliRunner().invoke(cli, ["demo"], env={"FUSEBOX_HOME": str(stack.home)})

    assert isinstance(done.exception, Fault)
    assert "make up" in done.exception.remedy


def test_the_command_knows_as_many_steps_as_there_are() -> None:
    number = next(each for each in demo.params if each.name == "step").type

    assert (number.min, number.max) == (1, len(STEPS))  # type: ignore[attr-defined]


def test_all_at_once_means_that_none_begins_before_the_last_is_ready() -> None:
    meeting = threading.Barrier(5, timeout=10)

    assert sorted(all_at_once([meeting.wait] * 5)) == [0, 1, 2, 3, 4]


def test_the_flow_ends_when_it_is_left() -> None:
    enough = threading.Event()

    def hand() -> Order:
        enough.set()
        return Order(201, "PENDING")

    with Flow([hand, hand], a_second=1000) as flow:
        assert enough.wait(10)

    harvest = len(flow.orders)
    assert harvest >= 1
    assert not any(each.name.startswith("tour-flow") for each in threading.enumerate())
