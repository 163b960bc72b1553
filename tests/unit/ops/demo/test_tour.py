"""The tour: its order, its end at the first failed assertion, and that it undoes what it broke."""

import io
import threading
from collections.abc import Callable

import pytest
import requests
from click.testing import CliRunner

from fusebox.cli.main import cli
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.demo.assertions import FailedAssertion
from fusebox.demo.command import demo
from fusebox.demo.console import DemoConsole
from fusebox.demo.context import DemoContext, DemoStep
from fusebox.demo.faults import FaultInjector
from fusebox.demo.inspection import Inspection
from fusebox.demo.load import DemoLoad, all_at_once
from fusebox.demo.records import OrderRecords
from fusebox.demo.shop_actions import ShopActions
from fusebox.demo.steps import STEPS
from fusebox.demo.tour import refuse_broken, run_steps
from fusebox.operations.status import StatusRow
from fusebox.runtime.shop_client import OrderResult


class FakeInstanceControl:
    """A shop of names: who runs, and what was done."""

    def __init__(self, *instances: str) -> None:
        self.running = dict.fromkeys(instances, True)
        self.done: list[str] = []
        self.refusing = ""

    def instances(self, service: str) -> list[str]:
        return [name for name in self.running if name.rpartition("-")[0] == service]

    def kill(self, service: str, number: int | None) -> None:
        for instance in self.instances(service):
            if number is None or instance == f"{service}-{number}":
                self.running[instance] = False
        self._do(f"kill {service}")

    def start(self, service: str) -> None:
        self._do(f"start {service}")
        self.running |= dict.fromkeys(self.instances(service), True)

    def scale(self, service: str, number: int) -> None:
        self._do(f"scale {service} {number}")
        for instance in self.instances(service):
            del self.running[instance]
        self.running |= {f"{service}-{n}": True for n in range(1, number + 1)}

    def _do(self, what: str) -> None:
        self.done.append(what)
        if what == self.refusing:
            raise Fault(f"cannot {what}")


@pytest.fixture
def control() -> FakeInstanceControl:
    return FakeInstanceControl("catalog-service-1", "order-service-1", "order-service-2", "kafka-1")


@pytest.fixture
def context(stack: Stack, control: FakeInstanceControl) -> DemoContext:
    console = DemoConsole(io.StringIO())
    return DemoContext(
        stack,
        console,
        FaultInjector(control),
        ShopActions(stack),
        Inspection(stack),
        OrderRecords(stack),
    )


def printed(context: DemoContext) -> str:
    assert isinstance(context.console.out, io.StringIO)
    return context.console.out.getvalue()


def undone(faults: FaultInjector) -> list[str]:
    announced: list[str] = []
    faults.undo(announced.append)
    return announced


def step(run: Callable[[DemoContext], None], continues: bool = False) -> DemoStep:
    return DemoStep("a step", "because", run, continues)


def kill_catalog(context: DemoContext) -> None:
    context.faults.kill("catalog-service")


def assert_something(context: DemoContext) -> None:
    context.console.check("It holds.", True, "seen")


def test_what_was_killed_is_started_again(control: FakeInstanceControl) -> None:
    faults = FaultInjector(control)
    faults.kill("order-service")

    assert undone(faults) == ["order-service is started again"]
    assert all(control.running.values())
    assert faults.is_undone


def test_a_killed_instance_that_was_only_added_for_the_demo_is_removed(
    control: FakeInstanceControl,
) -> None:
    faults = FaultInjector(control)
    faults.scale("catalog-service", 2)
    faults.kill("catalog-service", 2)

    assert undone(faults) == ["catalog-service is scaled back to 1"]
    assert control.instances("catalog-service") == ["catalog-service-1"]


def test_what_a_step_has_started_again_itself_needs_no_repair(control: FakeInstanceControl) -> None:
    faults = FaultInjector(control)
    faults.kill("kafka")
    faults.start("kafka")

    assert faults.is_undone
    assert control.done == ["kill kafka", "start kafka"]


def test_scaling_to_the_present_number_of_instances_does_nothing(
    control: FakeInstanceControl,
) -> None:
    faults = FaultInjector(control)
    faults.scale("order-service", 2)

    assert faults.is_undone
    assert control.done == []


def test_a_kill_that_was_interrupted_is_undone_too(control: FakeInstanceControl) -> None:
    faults = FaultInjector(control)
    control.refusing = "kill kafka"
    with pytest.raises(Fault, match="cannot kill"):
        faults.kill("kafka")

    assert undone(faults) == ["kafka is started again"]


def test_every_repair_is_tried_and_the_first_failure_is_raised(
    control: FakeInstanceControl,
) -> None:
    faults = FaultInjector(control)
    faults.scale("order-service", 1)
    faults.kill("kafka")
    control.refusing = "scale order-service 2"

    with pytest.raises(Fault, match="could not undo") as fault:
        undone(faults)

    assert control.running["kafka-1"]
    assert fault.value.remedy == "make heal"


def test_the_faults_of_a_step_are_undone_before_the_next_begins(
    context: DemoContext, control: FakeInstanceControl
) -> None:
    def look(context: DemoContext) -> None:
        control.done.append("look")

    run_steps(context, [step(kill_catalog), step(look)], [1, 2])

    assert control.done == ["kill catalog-service", "start catalog-service", "look"]


def test_a_step_that_continues_gets_the_faults_of_the_one_before(
    context: DemoContext, control: FakeInstanceControl
) -> None:
    def look(context: DemoContext) -> None:
        control.done.append("look")

    run_steps(context, [step(kill_catalog), step(look, continues=True)], [1, 2])

    assert control.done == ["kill catalog-service", "look", "start catalog-service"]


def test_one_step_runs_alone(context: DemoContext) -> None:
    run_steps(context, [step(kill_catalog), step(assert_something)], [2])

    assert "2 of 2" in printed(context)
    assert "1 of 2" not in printed(context)
    assert "All 1 assertions hold" in printed(context)


def fail_an_assertion(context: DemoContext) -> None:
    kill_catalog(context)
    context.console.check("It holds.", False, "it does not")


def interrupt(context: DemoContext) -> None:
    kill_catalog(context)
    raise KeyboardInterrupt


ENDS = [(fail_an_assertion, FailedAssertion), (interrupt, KeyboardInterrupt)]


@pytest.mark.parametrize(("run", "end"), ENDS)
def test_whatever_ends_the_tour_nothing_stays_broken(
    context: DemoContext,
    control: FakeInstanceControl,
    run: Callable[[DemoContext], None],
    end: type[BaseException],
) -> None:
    with pytest.raises(end):
        run_steps(context, [step(run), step(assert_something)], [1, 2])

    assert all(control.running.values())
    assert "2 of 2" not in printed(context)
    assert "assertions hold" not in printed(context)


def test_a_gateway_that_does_not_answer_is_reported_without_a_traceback(
    context: DemoContext,
) -> None:
    def lose(context: DemoContext) -> None:
        raise requests.ConnectionError("refused")

    with pytest.raises(Fault, match="step 1: refused"):
        run_steps(context, [step(lose)], [1])


def row(instance: str, healthy: bool = True, **given: object) -> StatusRow:
    service = instance.rpartition("-")[0]
    return StatusRow(service, instance, "RUNNING", healthy, **given)  # type: ignore[arg-type]


PROBLEMS = [
    (row("kafka-1", False, faults=["killed"]), "kafka-1: killed"),
    (row("catalog-service-1", faults=["slow 300 ms"]), "catalog-service-1: slow 300 ms"),
    (row("zipkin-1", False, reason="does not answer"), "zipkin-1: does not answer"),
    (
        row("order-service-1", breakers={"catalog-service": "FORCED_OPEN"}),
        "order-service-1: breaker catalog-service FORCED_OPEN",
    ),
]


@pytest.mark.parametrize(("wrong", "problem"), PROBLEMS)
def test_a_shop_that_is_not_in_order_is_refused(wrong: StatusRow, problem: str) -> None:
    with pytest.raises(Fault, match="not in order") as fault:
        refuse_broken([row("gateway-1"), wrong])

    assert fault.value.where.strip() == problem
    assert "make heal" in fault.value.remedy


def test_an_open_breaker_alone_is_no_reason_to_refuse() -> None:
    refuse_broken([row("gateway-1", breakers={"catalog-service": "OPEN"})])


def test_when_the_shop_is_down_it_says_how_to_start_it(stack: Stack) -> None:
    done = CliRunner().invoke(cli, ["demo"], env={"FUSEBOX_HOME": str(stack.home)})

    assert isinstance(done.exception, Fault)
    assert "make up" in done.exception.remedy


def test_the_command_knows_as_many_steps_as_there_are() -> None:
    number = next(option for option in demo.params if option.name == "step").type

    assert (number.min, number.max) == (1, len(STEPS))  # type: ignore[attr-defined]


def test_all_at_once_means_that_none_begins_before_the_last_is_ready() -> None:
    meeting = threading.Barrier(5, timeout=10)

    assert sorted(all_at_once([meeting.wait] * 5)) == [0, 1, 2, 3, 4]


def test_the_load_ends_on_exit() -> None:
    enough = threading.Event()

    def place_order() -> OrderResult:
        enough.set()
        return OrderResult(201, "PENDING")

    with DemoLoad([place_order] * 2, orders_a_second=1000) as load:
        assert enough.wait(10)

    assert load.orders
    assert not any(thread.name.startswith("demo-load") for thread in threading.enumerate())
