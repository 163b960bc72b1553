"""A key set by hand: written whole, read back, refused by name."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.operations.configuration import settings
from fusebox.operations.configuration.known_keys import InstanceKeys
from fusebox.operations.configuration.settings import RefreshResult
from fusebox.runtime.driver import State
from fusebox.state import config_overlay


class RunningInstances:
    """Stands for one that runs these."""

    def __init__(self, *instances: str) -> None:
        self._instances = instances

    def states(self) -> dict[str, State]:
        return {name: State(name, "RUNNING", 1, 1, "") for name in self._instances}


@pytest.fixture
def refreshed(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was told, while nobody refuses but for the value `wrong`."""
    stack.make_folders()
    asked: list[str] = []

    def refresh(stack: Stack, state: State) -> RefreshResult:
        asked.append(state.instance)
        text = "".join(file.read_text() for file in stack.config.iterdir())
        return RefreshResult(state.instance, refusal="no number" if "wrong" in text else "")

    running = RunningInstances("order-service-1", "gateway-1", "kafka-1", "java-training")
    monkeypatch.setattr(settings, "running_driver", lambda _: running)
    monkeypatch.setattr(settings, "_refresh", refresh)
    return asked


def test_all_processes_of_ours_are_told_and_a_file_keeps_it(
    stack: Stack, refreshed: list[str]
) -> None:
    settings.set_key(stack, "a.b", "1", None)
    settings.set_key(stack, "a.c", "x = y", None)

    assert (stack.config / "application.properties").read_text() == "a.b=1\na.c=x = y\n"
    assert sorted(refreshed) == ["gateway-1", "gateway-1", "order-service-1", "order-service-1"]


def test_one_service_has_a_file_of_its_own(stack: Stack, refreshed: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", "order-service")

    assert (stack.config / "order-service.properties").read_text() == "a.b=1\n"
    assert refreshed == ["order-service-1"]


def test_without_a_value_it_is_taken_back(stack: Stack, refreshed: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", None)
    settings.set_key(stack, "a.b", None, None)

    assert (stack.config / "application.properties").read_text() == ""


def test_several_keys_are_set_together(stack: Stack, refreshed: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", "gateway")
    settings.set_keys(stack, {"a.b": None, "a.c": "2"}, "gateway")

    assert (stack.config / "gateway.properties").read_text() == "a.c=2\n"
    assert refreshed == ["gateway-1", "gateway-1"]


def test_what_fits_is_forgotten_and_the_rest_is_kept(stack: Stack, refreshed: list[str]) -> None:
    config_overlay.forget(stack, None, re.compile("a.*"))
    settings.set_keys(stack, {"a.b": "1", "c.d": "2"}, None)
    refreshed.clear()

    config_overlay.forget(stack, None, re.compile("a.*"))

    assert (stack.config / "application.properties").read_text() == "c.d=2\n"
    assert refreshed == []


def test_a_refused_value_changes_nothing(stack: Stack, refreshed: list[str]) -> None:
    settings.set_key(stack, "a.b", "1", None)

    with pytest.raises(Fault, match="no number"):
        settings.set_key(stack, "a.b", "wrong", None)

    assert (stack.config / "application.properties").read_text() == "a.b=1\n"
    assert len(refreshed) == 6  # the last two are told that it is as before


@pytest.mark.parametrize(
    ("key", "value"), [("", "1"), ("a b", "1"), ("a=b", "1"), ("a..b", "1"), ("a", "1\nb=2")]
)
def test_what_would_break_the_file_is_refused(stack: Stack, key: str, value: str) -> None:
    with pytest.raises(Fault):
        settings.set_key(stack, key, value, None)


@pytest.fixture
def running(
    stack: Stack, refreshed: list[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[[], list[str]]:
    """Both processes read `a.b`, whose default is 5, and follow what is set."""

    def keys(stack: Stack, state: State) -> InstanceKeys:
        values = config_overlay.read(config_overlay.file(stack))
        return InstanceKeys(state.instance, {"a.b": 5}, dict(values))

    monkeypatch.setattr(InstanceKeys, "of", keys)
    return lambda: sorted(refreshed)


def test_a_change_is_shown_with_the_old_and_the_new_value(
    stack: Stack, running: Callable[[], list[str]]
) -> None:
    change = settings.change(stack, "a.b", "3", None)

    assert change.old == {"order-service-1": "5", "gateway-1": "5"}
    assert change.new == {"order-service-1": "3", "gateway-1": "3"}
    assert settings.set_by_hand(stack) == {"application": {"a.b": "3"}}


def test_an_unknown_key_is_refused_and_nobody_is_told(
    stack: Stack, running: Callable[[], list[str]]
) -> None:
    with pytest.raises(Fault, match="no process reads"):
        settings.change(stack, "a.c", "3", None)

    assert running() == []
    assert settings.set_by_hand(stack) == {}


def test_what_was_never_set_cannot_be_taken_back(
    stack: Stack, running: Callable[[], list[str]]
) -> None:
    assert not settings.change(stack, "a.b", None, None).was_set
    assert running() == []


def test_two_who_set_keys_at_once_lose_none(stack: Stack, refreshed: list[str]) -> None:
    names = [f"a.key{number}" for number in range(16)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: settings.set_key(stack, name, "1", None), names))

    assert settings.set_by_hand(stack)["application"].keys() == set(names)
