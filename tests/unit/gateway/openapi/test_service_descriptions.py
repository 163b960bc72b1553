"""Which services are asked for their descriptions, when, and what is known of one that is away."""

from typing import Any

import pytest

from chassis.core.errors import Unavailable
from chassis.discovery.instances import Instance
from gateway.openapi.service_descriptions import ServiceDescriptions

DESCRIBED = {"paths": {"/a": {"get": {"operationId": "get-a", "responses": {"200": {}}}}}}


class Services:
    """Those that discovery knows, and what each says when it is asked."""

    def __init__(self) -> None:
        self.instances: dict[str, tuple[Instance, ...]] = {}
        self.says: dict[str, Any] = {}
        self.requests: list[str] = []
        self.descriptions = ServiceDescriptions(lambda: self.instances, self.fetch)

    def run(self, service: str, *ports: int) -> None:
        self.instances[service] = tuple(
            Instance(f"{service}:{port}", service, "::1", port) for port in ports
        )

    def fetch(self, service: str) -> Any:
        self.requests.append(service)
        if isinstance(self.says[service], Exception):
            raise self.says[service]
        return self.says[service]


@pytest.fixture
def services() -> Services:
    services = Services()
    services.says["a-service"] = DESCRIBED
    services.run("a-service", 1)
    return services


def test_a_service_is_asked_once_as_long_as_its_instances_are_the_same(services: Services) -> None:
    assert services.descriptions.look()
    assert services.descriptions.look()

    assert services.requests == ["a-service"]
    assert services.descriptions.known["a-service"].document == DESCRIBED
    assert services.descriptions.known["a-service"].is_current


def test_it_is_asked_again_when_another_instance_has_come(services: Services) -> None:
    services.descriptions.look()
    services.run("a-service", 1, 2)
    services.descriptions.look()

    assert services.requests == ["a-service", "a-service"]


def test_of_one_that_is_away_the_last_is_known_and_said_to_be_old(services: Services) -> None:
    services.descriptions.look()
    del services.instances["a-service"]
    services.descriptions.look()

    assert services.descriptions.known["a-service"].document == DESCRIBED
    assert not services.descriptions.known["a-service"].is_current


def test_one_that_comes_back_is_current_again(services: Services) -> None:
    services.descriptions.look()
    del services.instances["a-service"]
    services.descriptions.look()
    services.run("a-service", 1)
    services.descriptions.look()

    assert services.descriptions.known["a-service"].is_current


def test_one_that_does_not_answer_is_asked_again_and_hinders_no_other(services: Services) -> None:
    services.says["b-service"] = Unavailable("b-service does not answer.")
    services.instances = {}
    services.run("b-service", 3)
    services.run("a-service", 1)

    assert not services.descriptions.look()
    assert services.descriptions.known.keys() == {"a-service"}
    services.says["b-service"] = DESCRIBED
    assert services.descriptions.look()
    assert services.descriptions.known.keys() == {"a-service", "b-service"}


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        {"paths": []},
        {"paths": {"/a": None}},
        {"paths": {"/a": {"get": {}}}},
        {"paths": {"/a": {"get": {"operationId": 7, "responses": {}}}}},
    ],
)
def test_what_is_no_description_is_none(services: Services, document: Any) -> None:
    services.says["a-service"] = document

    assert services.descriptions.look()
    assert services.descriptions.known["a-service"].document is None


def test_nothing_new_makes_nothing_anew(services: Services) -> None:
    services.descriptions.look()
    known = services.descriptions.known
    services.descriptions.look()

    assert services.descriptions.known is known
