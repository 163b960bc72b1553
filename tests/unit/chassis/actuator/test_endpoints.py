"""What a process tells of its configuration and its log, in Spring's shapes."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chassis.config.client import ConfigClient, ConfigurationError
from chassis.config.settings import Settings
from chassis.core.environment import Environment
from chassis.runtime.service import Process


class Told:
    """A process, and what its configuration comes from."""

    def __init__(self, state: Path) -> None:
        self.sources: list[dict[str, Any]] = [
            {"name": "by hand", "source": {"fusebox.threads": 5}},
            {
                "name": "shipped",
                "source": {"fusebox.threads": 9, "spring.datasource.password": "x"},
            },
        ]
        environment = Environment.read("order-service", {"FUSEBOX_STATE": str(state)})
        configuration = ConfigClient(Settings, environment, lambda: list(self.sources))
        configuration.load()
        self.process = Process(environment, configuration)

    def get(self, path: str, status: int = 200) -> dict[str, Any]:
        reply = self.process.actuator.answer("GET", path)
        assert reply.status == status, reply.body
        found: dict[str, Any] = json.loads(reply.body)
        return found

    def post(self, path: str, document: Any) -> int:
        return self.process.actuator.answer("POST", path, json.dumps(document).encode()).status


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    before = logging.getLogger().level
    yield Told(tmp_path)
    logging.getLogger().setLevel(before)
    logging.getLogger("chassis.discovery.client").setLevel(logging.NOTSET)


def test_each_key_stands_under_the_source_that_has_won(told: Told) -> None:
    sources = {each["name"]: each["properties"] for each in told.get("env")["propertySources"]}

    assert sources["by hand"] == {"fusebox.threads": {"value": 5}}
    assert sources["shipped"] == {"spring.datasource.password": {"value": "******"}}


def test_one_key_is_told_with_its_source_and_without_its_secret(told: Told) -> None:
    assert told.get("env/fusebox.threads")["property"] == {"source": "by hand", "value": 5}
    secret = told.get("env/spring.datasource.password")["property"]
    assert secret == {"source": "shipped", "value": "******"}
    assert told.get("env/no.such.key", 404)["code"] == "not-found"


def test_a_logger_is_changed_by_hand_and_given_back(told: Told) -> None:
    page = "loggers/chassis.discovery.client"

    assert told.post(page, {"configuredLevel": "debug"}) == 204
    assert told.get(page) == {"configuredLevel": "DEBUG", "effectiveLevel": "DEBUG"}
    assert told.get("loggers")["loggers"]["chassis.discovery.client"]["effectiveLevel"] == "DEBUG"

    assert told.post(page, {"configuredLevel": None}) == 204
    root = told.get("loggers/ROOT")
    assert told.get(page) == {"effectiveLevel": root["configuredLevel"]}


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("x", {"configuredLevel": "LOUD"}),
        ("x", {"configuredLevel": 5}),
        ("x", []),
        ("ROOT", {"configuredLevel": None}),
    ],
)
def test_what_is_no_level_is_refused(told: Told, name: str, document: Any) -> None:
    assert told.post(f"loggers/{name}", document) == 400


def test_nobody_becomes_a_logger_by_being_asked_for(told: Told) -> None:
    told.get("loggers/never.heard.of", 404)
    assert "never.heard.of" not in logging.Logger.manager.loggerDict


def test_a_level_by_hand_lasts_until_the_configuration_has_another(told: Told) -> None:
    told.post("loggers/ROOT", {"configuredLevel": "ERROR"})
    told.sources = [{"name": "by hand", "source": {"fusebox.threads": 6}}]
    assert "fusebox.threads" in told.process.configuration.refresh()
    assert told.get("loggers/ROOT")["configuredLevel"] == "ERROR"

    told.sources = [{"name": "x", "source": {"logging.level.root": "WARN"}}]
    told.process.configuration.refresh()
    assert told.get("loggers/ROOT")["configuredLevel"] == "WARN"


def test_a_configured_level_that_there_is_not_is_refused_by_its_key(told: Told) -> None:
    told.sources = [{"name": "x", "source": {"logging.level.root": "LOUD"}}]

    with pytest.raises(ConfigurationError, match=r"logging.level.root.*LOUD"):
        told.process.configuration.refresh()
