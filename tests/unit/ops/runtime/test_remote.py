"""Functions done where the parts can be reached, and which of two shops is meant."""

import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.operations import dead_letters
from fusebox.runtime import relay, remote


def add(stack: Stack, one: int, two: int) -> int:
    assert stack.mode == "native"
    return one + two


def fail(_stack: Stack) -> None:
    raise Fault("no", where="there", remedy="do", exit_code=2)


@pytest.fixture
def way(monkeypatch: pytest.MonkeyPatch) -> Iterator[relay.Relay]:
    """Into a process of this machine, where the container's would be."""
    root = Path(__file__).resolve().parents[4]
    monkeypatch.setenv("PYTHONPATH", str(root))
    monkeypatch.delenv("FUSEBOX_MODE", raising=False)
    opened = relay.Relay([sys.executable, "-m", "fusebox.runtime.relay"])
    yield opened
    opened.close()


def test_a_call_is_done_on_the_other_side(way: relay.Relay) -> None:
    assert way.run(health_address, "order-service", 8080) == ("order-service", 8080)


def health_address(_stack: Stack, host: str, port: int) -> tuple[str, int]:
    return host, port


def test_what_is_raised_there_is_raised_here_whole(way: relay.Relay) -> None:
    with pytest.raises(Fault) as raised:
        way.run(fail)

    fault = raised.value
    assert (fault.what, fault.where, fault.remedy, fault.exit_code) == ("no", "there", "do", 2)


def lock(_stack: Stack) -> object:
    return threading.Lock()


def test_what_cannot_be_passed_on_is_a_fault_and_no_wait_without_end(way: relay.Relay) -> None:
    with pytest.raises(Fault, match="lock has said what cannot be passed on"):
        way.run(lock)


def test_a_way_that_is_closed_is_a_fault_and_no_wait_without_end() -> None:
    closed = relay.Relay([sys.executable, "-c", "pass"])

    for _ in range(2):
        with pytest.raises(Fault, match="nothing inside can be asked"):
            closed.run(add, 1, 2)
    closed.close()


def test_a_shop_of_processes_needs_no_way(stack: Stack) -> None:
    assert remote.run(stack, add, 1, 2) == 3


def test_the_mode_is_remembered_by_the_home_and_said_by_the_user(tmp_path: Path) -> None:
    told = {"FUSEBOX_HOME": str(tmp_path)}
    assert Stack.from_environment(told).mode == "native"

    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "docker").touch()
    assert Stack.from_environment(told).mode == "docker"
    assert Stack.from_environment({**told, "FUSEBOX_MODE": "native"}).mode == "native"
    with pytest.raises(Fault, match="FUSEBOX_MODE is 'podman'"):
        Stack.from_environment({**told, "FUSEBOX_MODE": "podman"})


def test_a_dead_letter_survives_the_way() -> None:
    letter = dead_letters.DeadLetter("orders.dead", 0, 1, None, "", "reason", "from", "now")

    assert pickle.loads(pickle.dumps(letter)) == letter
