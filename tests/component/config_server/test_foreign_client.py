"""A client from the package registry, written for Spring's server, as it comes."""

from collections.abc import Iterator
from typing import Any

import pytest
from spring_config import ClientConfigurationBuilder
from spring_config.client import SpringConfigClient


@pytest.fixture
def client(server: Any) -> Iterator[SpringConfigClient]:
    server.write("application.yml", "shared: {host: example, port: 80}\n")
    server.write("probe-service.yml", "url: http://${shared.host}/\nshared.port: 81\n")
    server.write("probe-service-dev.yml", "list: [{name: a}, {name: b}]\n")
    configuration = (
        ClientConfigurationBuilder()
        .address(f"http://127.0.0.1:{server.port}")
        .app_name("probe-service")
        .profile("dev")
        .branch("main")
        .build()
    )
    yield SpringConfigClient(configuration)
    SpringConfigClient.discard_singleton()


def test_spring_config_client_reads_what_is_served(client: SpringConfigClient) -> None:
    assert client.get_config() == {
        "list": [{"name": "a"}, {"name": "b"}],
        "shared": {"host": "example", "port": 81},
        "url": "http://example/",
    }
    assert client.get_attribute("shared.port") == 81
