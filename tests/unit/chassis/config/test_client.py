"""The client of the configuration server, with a server that is a function."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from chassis.config import client
from chassis.config.client import ConfigClient, ConfigurationError
from chassis.config.settings import Settings
from chassis.core.environment import Environment


def environment(state: Path, **variables: str) -> Environment:
    return Environment.read("order-service", {"FUSEBOX_STATE": str(state), **variables})


def sources(**keys: Any) -> list[dict[str, Any]]:
    return [{"name": "application.yml", "source": keys}]


def test_the_first_source_wins(tmp_path: Path) -> None:
    configuration = ConfigClient(
        Settings,
        environment(tmp_path),
        lambda: [*sources(**{"fusebox.threads": 4}), *sources(**{"fusebox.threads": 9})],
    )

    configuration.load()

    assert configuration.current.fusebox.threads == 4


def test_without_a_server_the_last_known_good_copy_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "SECONDS_WITH_A_COPY", 0)
    monkeypatch.setattr(client, "SECONDS_WITHOUT", 0)

    def nobody() -> list[dict[str, Any]]:
        raise requests.ConnectionError("refused")

    with pytest.raises(ConfigurationError, match="Is config-server running"):
        ConfigClient(Settings, environment(tmp_path), nobody).load()
    here = environment(tmp_path)
    ConfigClient(Settings, here, lambda: sources(**{"fusebox.threads": 4})).load()
    again = ConfigClient(Settings, here, nobody)
    again.load()

    assert (again.current.fusebox.threads, again.source) == (4, "last-known-good")


def test_a_wrong_value_is_refused_by_its_key(tmp_path: Path) -> None:
    wrong = lambda: sources(**{"fusebox.breaker.fail-max": 0})  # noqa: E731

    with pytest.raises(ConfigurationError, match=r"fusebox\.breaker\.fail-max"):
        ConfigClient(Settings, environment(tmp_path), wrong).load()


@pytest.mark.parametrize(
    "wrong",
    [
        {"fusebox.breaker": 3},
        {"fusebox.breaker": 3, "fusebox.breaker.fail-max": 5},
        {"fusebox.breaker.fail-max": 5, "fusebox.breaker": 3},
        {"fusebox": "x", "fusebox.breaker.fail-max": 5},
        {"fusebox.breaker.fail-max.deeper": 5},
        {"fusebox[0]": 1, "fusebox.breaker.fail-max": 5},
        {"fusebox.breaker.fail-max": "Infinity"},
    ],
)
def test_a_value_where_a_section_belongs_is_a_wrong_value(
    tmp_path: Path, wrong: dict[str, Any]
) -> None:
    configuration = ConfigClient(Settings, environment(tmp_path), lambda: sources(**wrong))

    with pytest.raises(ConfigurationError, match="fusebox"):
        configuration.load()


def test_an_empty_section_hides_no_values_of_other_sources(tmp_path: Path) -> None:
    given = [*sources(fusebox=""), *sources(**{"fusebox.threads": 4, "eureka": "", "chaos": None})]
    configuration = ConfigClient(Settings, environment(tmp_path), lambda: given)

    configuration.load()

    assert configuration.current.fusebox.threads == 4


def test_a_list_is_taken_whole_from_the_source_that_wins_it(tmp_path: Path) -> None:
    strong = {"name": "strong", "source": {"routes[0].id": "a", "routes[0].filters[0]": "x"}}
    weak = {
        "name": "weak",
        "source": {"routes[0].id": "b", "routes[0].uri": "u", "routes[1].id": "c", "other": 1},
    }
    configuration = ConfigClient(Settings, environment(tmp_path), lambda: [strong, weak])

    configuration.load()

    assert {key: value for key, (value, _) in configuration.flat.items()} == {
        "routes[0].id": "a",
        "routes[0].filters[0]": "x",
        "other": 1,
    }


def test_a_process_that_starts_with_a_wrong_value_goes_on_with_its_last_good_copy(
    tmp_path: Path,
) -> None:
    here = environment(tmp_path)
    ConfigClient(Settings, here, lambda: sources(**{"fusebox.threads": 4})).load()
    again = ConfigClient(Settings, here, lambda: sources(**{"fusebox.breaker": 3}))

    again.load()

    assert (again.current.fusebox.threads, again.source) == (4, "last-known-good")
    assert "fusebox.breaker" in again.refused


def test_a_refresh_names_what_changed_and_a_wrong_value_changes_nothing(tmp_path: Path) -> None:
    now: dict[str, Any] = {"fusebox.threads": 4, "gone": 1, "same": 2}
    configuration = ConfigClient(Settings, environment(tmp_path), lambda: sources(**now))
    configuration.load()

    now.update({"fusebox.threads": 9, "new": 1})
    del now["gone"]
    assert configuration.refresh() == ["fusebox.threads", "gone", "new"]
    assert configuration.current.fusebox.threads == 9
    assert configuration.refresh() == []

    now["fusebox.threads"] = "many"
    with pytest.raises(ConfigurationError, match=r"fusebox\.threads"):
        configuration.refresh()
    assert configuration.current.fusebox.threads == 9


def test_of_two_refreshes_at_once_the_newer_configuration_is_in_use_at_the_end(
    tmp_path: Path,
) -> None:
    answers = [sources(**{"fusebox.threads": threads}) for threads in (1, 2, 3)]
    in_fetch, go_on = threading.Event(), threading.Event()
    fetching, most = 0, 0

    def fetch() -> list[dict[str, Any]]:
        nonlocal fetching, most
        answer = answers.pop(0)
        fetching += 1
        most = max(most, fetching)
        if answers and len(answers) < 2:  # the older of the two refreshes is slow
            in_fetch.set()
            assert go_on.wait(10)
        fetching -= 1
        return answer

    configuration = ConfigClient(Settings, environment(tmp_path), fetch)
    configuration.load()
    with ThreadPoolExecutor() as pool:
        older = pool.submit(configuration.refresh)
        assert in_fetch.wait(10)
        newer = pool.submit(configuration.refresh)
        with pytest.raises(TimeoutError):
            newer.result(timeout=0.05)
        go_on.set()

        assert older.result(10) == newer.result(10) == ["fusebox.threads"]
    assert most == 1
    assert configuration.current.fusebox.threads == configuration.live.value.fusebox.threads == 3


def test_refreshes_at_once_apply_one_change_once(tmp_path: Path) -> None:
    now = {"fusebox.threads": 4}
    configuration = ConfigClient(Settings, environment(tmp_path), lambda: sources(**now))
    configuration.load()
    applied: list[int] = []
    configuration.live.map(lambda settings: applied.append(settings.fusebox.threads))

    now["fusebox.threads"] = 9
    with ThreadPoolExecutor(8) as pool:
        changes = list(pool.map(lambda _: configuration.refresh(), range(8)))

    assert sorted(changes) == [[]] * 7 + [["fusebox.threads"]]
    assert applied == [4, 9]


def test_a_refused_configuration_is_logged_once_with_its_file_its_key_and_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    now: dict[str, Any] = {"fusebox.breaker.fail-max": 5}
    configuration = ConfigClient(Settings, environment(tmp_path), lambda: sources(**now))
    configuration.load()
    now["fusebox.breaker.fail-max"] = "five"

    for _ in range(3):
        with pytest.raises(ConfigurationError):
            configuration.refresh()

    [line] = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()]
    assert "fusebox.breaker.fail-max: Input should be a valid integer" in line
    assert "(in application.yml)" in line
    assert line.endswith(configuration.refused)
