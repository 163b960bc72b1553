"""The files in config/ are read by the server and validate for those who receive them."""

from pathlib import Path

import pytest

from chassis.config.properties import fill_placeholders, to_tree
from chassis.config.settings import Settings
from config_server.backends.folder import FolderBackend
from config_server.files import render
from config_server.model import ConfigQuery
from config_server.settings import ConfigServerSettings
from discovery.settings import DiscoverySettings

CONFIG = Path(__file__).parents[4] / "config"
SERVICES = [
    "config-server",
    "discovery",
    "gateway",
    "user-service",
    "order-service",
    "catalog-service",
]


def served_to(service: str, variables: dict[str, str] | None = None) -> dict[str, object]:
    properties = render.merged(FolderBackend(CONFIG).find(ConfigQuery(service, "native")).sources)
    return {
        key: fill_placeholders(value, variables or {}) if isinstance(value, str) else value
        for key, value in properties.items()
    }


@pytest.mark.parametrize("service", SERVICES)
def test_the_shipped_configuration_validates_and_has_no_placeholder_left(service: str) -> None:
    flat = served_to(service)

    Settings.model_validate(to_tree(flat))
    assert not [key for key, value in flat.items() if "${" in str(value)]


def test_ports_come_from_the_environment_of_whoever_reads_them() -> None:
    flat = served_to("order-service", {"POSTGRES_PORT": "16432"})

    assert flat["spring.datasource.url"] == (
        "postgresql+psycopg://order_service@127.0.0.1:16432/order_service"
    )


def test_discovery_s_own_settings_are_those_of_its_file() -> None:
    settings = DiscoverySettings.model_validate(to_tree(served_to("discovery")))

    assert settings.eureka.lease_rules().sweep_seconds == 1
    assert settings.eureka.lease_rules().delta_seconds == 180


def test_the_config_server_serves_the_folder_unless_told_otherwise() -> None:
    settings = ConfigServerSettings.model_validate(to_tree(served_to("config-server")))

    assert [backend.type for backend in settings.backends()] == ["native"]
