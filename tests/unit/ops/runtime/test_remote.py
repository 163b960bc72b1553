"""Functions done where the parts can be reached, and which of two shops is meant."""

import importlib
import inspect
import json
import pkgutil
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import fusebox
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.demo.records import KafkaRecord
from fusebox.network.http import HttpResponse
from fusebox.operations.configuration import settings
from fusebox.operations.dead_letters import DeadLetter
from fusebox.operations.status import Observation
from fusebox.operations.verify.invariants import Finding, Reading, StoredOrder
from fusebox.runtime import relay, remote
from fusebox.runtime.actuator_client import BreakerState
from fusebox.runtime.driver import State
from fusebox.runtime.health import InstanceHealth
from fusebox.runtime.json_codec import decoded, encoded, hints_of


def add(stack: Stack, one: int, two: int) -> int:
    assert stack.mode == "native"
    return one + two


def fail(_stack: Stack) -> None:
    raise Fault("no", where="there", remedy="do", exit_code=2)


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Iterator[relay.ContainerRelay]:
    """Into a process of this machine, where the container's would be."""
    root = Path(__file__).resolve().parents[4]
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.delenv("FUSEBOX_MODE", raising=False)
    opened = relay.ContainerRelay([sys.executable, "-m", "fusebox.runtime.relay"])
    yield opened
    opened.close()


def test_a_call_is_done_on_the_other_side(way: relay.ContainerRelay) -> None:
    assert way.run(health_address, "order-service", 8080) == ("order-service", 8080)


def health_address(_stack: Stack, host: str, port: int) -> tuple[str, int]:
    return host, port


def test_what_is_raised_there_is_raised_here_whole(way: relay.ContainerRelay) -> None:
    with pytest.raises(Fault) as raised:
        way.run(fail)

    fault = raised.value
    assert (fault.what, fault.where, fault.remedy, fault.exit_code) == ("no", "there", "do", 2)


def lock(_stack: Stack) -> object:
    return threading.Lock()


def test_a_result_that_json_cannot_say_is_a_fault_and_no_endless_wait(
    way: relay.ContainerRelay,
) -> None:
    with pytest.raises(Fault, match=r"lock has failed: .*no form in JSON"):
        way.run(lock)


def test_a_way_that_is_closed_is_a_fault_and_no_wait_without_end() -> None:
    closed = relay.ContainerRelay([sys.executable, "-c", "pass"])

    for _ in range(2):
        with pytest.raises(Fault, match="nothing inside can be asked"):
            closed.run(add, 1, 2)
    closed.close()


def test_a_shop_of_processes_needs_no_way(stack: Stack) -> None:
    assert remote.run(stack, add, 1, 2) == 3


def test_the_mode_is_remembered_by_the_home_and_said_by_the_user(tmp_path: Path) -> None:
    environment = {"FUSEBOX_HOME": str(tmp_path)}
    assert Stack.from_environment(environment).mode == "native"

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "docker").touch()
    assert Stack.from_environment(environment).mode == "docker"
    assert Stack.from_environment({**environment, "FUSEBOX_MODE": "native"}).mode == "native"
    with pytest.raises(Fault, match="FUSEBOX_MODE is 'podman'"):
        Stack.from_environment({**environment, "FUSEBOX_MODE": "podman"})


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (DeadLetter, DeadLetter("orders.dead", 0, 1, None, "", "reason", "from", "now")),
        (dict[str, InstanceHealth], {"order-service-1": InstanceHealth(False, "does not answer")}),
        (list[Finding], [Finding("stock", {"products": 3}, frozenset({"CATALOG-0001"}))]),
        (KafkaRecord, KafkaRecord(1, b"key", b"\x00\xff", [("ce_id", b"1")])),
        (
            Reading,
            Reading([], {"1": StoredOrder("PENDING", [{"qty": 1}])}, {}, {"order": [(1, "key")]}),
        ),
        (dict[int, int], {0: 12, 5: 0}),
        (
            Observation | None,
            Observation(
                InstanceHealth(True), port=8080, breakers=[BreakerState("catalog-service", "OPEN")]
            ),
        ),
        (HttpResponse, HttpResponse(200, b"{}")),
        (list[State], [State("gateway-1", "RUNNING", 1, 2, "")]),
        (tuple[str, ...], ("a", "b")),
        (int, 3),
        (type(None), None),
    ],
)
def test_a_value_is_the_same_after_it_was_json(hint: Any, value: object) -> None:
    assert decoded(hint, json.loads(json.dumps(encoded(value)))) == value


def test_every_function_that_runs_in_the_container_says_its_types() -> None:
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(fusebox.__path__, "fusebox.")
        if not module.name.endswith("__main__")
    ]
    sources = Path(remote.__file__).parents[1].rglob("*.py")
    calls = [re.findall(r"remote\.run\(\s*[\w.]+, ([\w.]+)", file.read_text()) for file in sources]
    names = {name.rpartition(".")[2] for called in calls for name in called}
    functions = {
        name: value
        for module in modules
        for name, value in vars(module).items()
        if name in names and inspect.isfunction(value)
    }

    assert functions["_set"] is settings._set
    assert {"verdict", "_verify", "_look", "unread"} <= set(functions)
    for function in functions.values():
        hints = hints_of(function)
        assert set(inspect.signature(function).parameters) | {"return"} == set(hints)
