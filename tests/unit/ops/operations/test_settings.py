"""A key set by hand: written whole, read back, refused by name."""

import re

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.operations import settings
from fusebox.operations.settings import RefreshResult
from fusebox.runtime.driver import State
from fusebox.state import config_overlay


class RunningInstances:
    """Stands for one that runs these."""

    def __init__(self, *instances: str) -> None:
        self._instances = instances

    def states(self) -> dict[str, State]:
        return {name: State(name, "RUNNING", 1, 1, "") for name in self._instances}


@pytest.fixture
def told(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was told, while nobody refuses but for the value `wrong`."""
    stack.make_folders()
    asked: list[str] = []

    def refresh(stack: Stack, state: State) -> RefreshResult:
        asked.append(state.instance)
        text = "".join(each.read_text() for each in stack.config.iterdir())
        return RefreshResult(state.instance, refusal="no number" if "wrong" in text else "")

    running = RunningInstances("order-service-1", "gateway-1", "kafka-1", "java-training")
    monkeypatch.setattr(settings, "running_driver", lambda _: running)
    monkeypatch.setattr(settings, "_refresh", refresh)
    return asked


def test_all_processes_of_ours_are_told_and_a_file_keeps_it(stack: Stack, told: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", None)
    settings.set_key(stack, "a.c", "x = y", None)

    assert (stack.config / "application.properties").read_text() == "a.b=1\na.c=x = y\n"
    assert sorted(told) == ["gateway-1", "gateway-1", "order-service-1", "order-service-1"]


def test_one_service_has_a_file_of_its_own(stack: Stack, told: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", "order-service")

    assert (stack.config / "order-service.properties").read_text() == "a.b=1\n"
    assert told == ["order-service-1"]


def test_without_a_value_it_is_taken_back(stack: Stack, told: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", None)
    settings.set_key(stack, "a.b", None, None)

    assert (stack.config / "application.properties").read_text() == ""


def test_several_keys_are_set_together(stack: Stack, told: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", "gateway")
    settings.set_keys(stack, {"a.b": None, "a.c": "2"}, "gateway")

    assert (stack.config / "gateway.properties").read_text() == "a.c=2\n"
    assert told == ["gateway-1", "gateway-1"]


def test_what_fits_is_forgotten_and_the_rest_is_kept(stack: Stack, told: list[str]) -> None:
    config_overlay.forget(config_overlay.file(stack), re.compile("a.*"))
    settings.set_keys(stack, {"a.b": "1", "c.d": "2"}, None)
    told.clear()

    config_overlay.forget(config_overlay.file(stack), re.compile("a.*"))

    assert (stack.config / "application.properties").read_text() == "c.d=2\n"
    assert told == []


def test_a_refused_value_changes_nothing(stack: Stack, told: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", None)

    with pytest.raises(Fault, match="no number"):
        settings.set_key(stack, "a.b", "wrong", None)

    assert (stack.config / "application.properties").read_text() == "a.b=1\n"
    assert len(told) == 6  # the last two are told that it is as before


@pytest.mark.parametrize(
    ("key", "value"), [("", "1"), ("a b", "1"), ("a=b", "1"), ("a..b", "1"), ("a", "1\nb=2")]
)
def test_what_would_break_the_file_is_refused(stack: Stack, key: str, value: str) -> None:
    with pytest.raises(Fault):
        settings.set_key(stack, key, value, None)
