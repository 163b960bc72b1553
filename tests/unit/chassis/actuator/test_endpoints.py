"""The actuator's endpoints for configuration and loggers, in Spring's shapes."""

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


class Target:
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
        response = self.process.actuator.answer("GET", path)
        assert response.status == status, response.body
        document: dict[str, Any] = json.loads(response.body)
        return document

    def post(self, path: str, document: Any) -> int:
        return self.process.actuator.answer("POST", path, json.dumps(document).encode()).status


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    before = logging.getLogger().level
    yield Target(tmp_path)
    logging.getLogger().setLevel(before)
    logging.getLogger("chassis.discovery.client").setLevel(logging.NOTSET)


def test_env_lists_each_key_under_the_source_that_wins_it(target: Target) -> None:
    sources = {
        source["name"]: source["properties"] for source in target.get("env")["propertySources"]
    }

    assert sources["by hand"] == {"fusebox.threads": {"value": 5}}
    assert sources["shipped"] == {"spring.datasource.password": {"value": "******"}}


def test_env_of_one_key_names_its_source_and_masks_a_secret(target: Target) -> None:
    assert target.get("env/fusebox.threads")["property"] == {"source": "by hand", "value": 5}
    secret = target.get("env/spring.datasource.password")["property"]
    assert secret == {"source": "shipped", "value": "******"}
    assert target.get("env/no.such.key", 404)["code"] == "not-found"


def test_a_logger_gets_a_level_by_post_and_gives_it_back(target: Target) -> None:
    page = "loggers/chassis.discovery.client"

    assert target.post(page, {"configuredLevel": "debug"}) == 204
    assert target.get(page) == {"configuredLevel": "DEBUG", "effectiveLevel": "DEBUG"}
    assert target.get("loggers")["loggers"]["chassis.discovery.client"]["effectiveLevel"] == "DEBUG"

    assert target.post(page, {"configuredLevel": None}) == 204
    root = target.get("loggers/ROOT")
    assert target.get(page) == {"effectiveLevel": root["configuredLevel"]}


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("x", {"configuredLevel": "LOUD"}),
        ("x", {"configuredLevel": 5}),
        ("x", []),
        ("ROOT", {"configuredLevel": None}),
    ],
)
def test_an_unknown_level_is_refused(target: Target, name: str, document: Any) -> None:
    assert target.post(f"loggers/{name}", document) == 400


def test_asking_for_an_unknown_logger_does_not_create_it(target: Target) -> None:
    target.get("loggers/never.heard.of", 404)
    assert "never.heard.of" not in logging.Logger.manager.loggerDict


def test_a_level_set_by_post_lasts_until_the_configuration_changes_it(target: Target) -> None:
    target.post("loggers/ROOT", {"configuredLevel": "ERROR"})
    target.sources = [{"name": "by hand", "source": {"fusebox.threads": 6}}]
    assert "fusebox.threads" in target.process.configuration.refresh()
    assert target.get("loggers/ROOT")["configuredLevel"] == "ERROR"

    target.sources = [{"name": "x", "source": {"logging.level.root": "WARN"}}]
    target.process.configuration.refresh()
    assert target.get("loggers/ROOT")["configuredLevel"] == "WARN"


def test_an_unknown_configured_level_is_refused_with_its_key(target: Target) -> None:
    target.sources = [{"name": "x", "source": {"logging.level.root": "LOUD"}}]

    with pytest.raises(ConfigurationError, match=r"logging.level.root.*LOUD"):
        target.process.configuration.refresh()


def test_health_names_the_background_thread_that_fails_again_and_again(
    target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert target.get("health")["components"]["workers"]["status"] == "UP"
    failing = {"lease": "KeyError: 'x', 3 times in a row"}
    monkeypatch.setattr(target.process.workers, "failing", lambda: failing)

    workers = target.get("health/readiness", 503)["components"]["workers"]

    assert workers["status"] == "DOWN"
    assert workers["details"]["error"] == "lease: KeyError: 'x', 3 times in a row"


def test_a_method_that_will_not_do_is_refused_with_those_that_will(target: Target) -> None:
    refused = target.process.actuator.answer("DELETE", "health")

    assert refused.status == 405
    assert refused.headers["Allow"] == "GET, HEAD"
    assert target.process.actuator.answer("GET", "refresh").headers["Allow"] == "POST"
