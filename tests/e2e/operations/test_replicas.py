"""Replicas of discovery: one dies, the shop goes on, and it comes back with all instances."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

NAMES = {"catalog-service-1", "order-service-1", "user-service-1", "gateway-1", "config-server-1"}


@pytest.fixture
def replicated_shop(shop: Any) -> Iterator[Any]:
    shop.run("scale", "discovery", "2")
    yield shop
    shop.run("heal")
    shop.run("scale", "discovery", "1")


def leases(base: str) -> dict[str, dict[str, Any]]:
    """The instances that the replica at `base` has; none while it loads them from the others."""
    answer = requests.get(f"{base}/eureka/apps", headers={"Accept": "application/json"}, timeout=5)
    if answer.status_code == 503:
        return {}
    applications = answer.json()["applications"]["application"]
    instances = [instance for app in applications for instance in app["instance"]]
    return {instance["instanceId"]: instance for instance in instances}


def renewed(base: str, instance: str) -> int:
    return int(leases(base)[instance]["leaseInfo"]["lastRenewalTimestamp"])


def configured_replicas(shop: Any, service: str) -> str:
    page = requests.get(f"{shop.url_of(service)}/actuator/env", timeout=5).json()
    sources = [source["properties"] for source in page["propertySources"]]
    key = "eureka.client.service-url.defaultZone"
    return str(next(source[key]["value"] for source in sources if key in source))


def test_the_shop_survives_a_killed_replica_that_comes_back_with_all_instances(
    replicated_shop: Any,
) -> None:
    first, second = (
        replicated_shop.url_of_instance("discovery-1"),
        replicated_shop.url_of_instance("discovery-2"),
    )
    places = [replicated_shop.place_of(f"discovery-{number}").url for number in (1, 2)]
    assert (
        configured_replicas(replicated_shop, "order-service")
        == f"{places[0]}/eureka/,{places[1]}/eureka/"
    )
    replicated_shop.until(lambda: leases(second).keys() >= {*NAMES, "discovery-1", "discovery-2"})

    replicated_shop.run("kill", "discovery", "--instance", "1")
    before = {name: renewed(second, name) for name in NAMES}
    # Every client renews its lease at the other one, and a new instance is found there.
    replicated_shop.until(
        lambda: all(renewed(second, name) > was for name, was in before.items()), 20
    )
    replicated_shop.run("scale", "catalog-service", "2")
    assert "catalog-service-2" in leases(second)
    assert replicated_shop.rows()["catalog-service-2"]["healthy"]
    customer = replicated_shop.customer()
    assert customer.place(wait=5).json()["status"] == "CONFIRMED"

    replicated_shop.start("discovery")
    first = replicated_shop.url_of_instance(
        "discovery-1"
    )  # a container may come back at another address
    assert leases(first).keys() >= {*NAMES, "catalog-service-2", "discovery-2"}
    replicated_shop.run("scale", "catalog-service", "1")
    for base in (first, second):
        replicated_shop.until(lambda base=base: "catalog-service-2" not in leases(base), 5)


def test_after_scaling_down_to_one_replica_all_is_as_before(shop: Any) -> None:
    before = configured_replicas(shop, "catalog-service")
    assert "discovery-3" in shop.run("scale", "discovery", "3").stdout
    assert len(configured_replicas(shop, "catalog-service").split(",")) == 3

    shop.run("scale", "discovery", "1")

    assert configured_replicas(shop, "catalog-service") == before
    assert [name for name in shop.rows() if name.startswith("discovery")] == ["discovery-1"]
    first = shop.url_of_instance("discovery-1")
    shop.until(lambda: "discovery-2" not in leases(first), 5)


@pytest.mark.parametrize("number", ["0", "6"])
def test_no_replica_or_more_than_five_are_refused(shop: Any, number: str) -> None:
    refused = shop.run("scale", "discovery", number, check=False)

    assert refused.returncode == 2
    assert f"{number} replicas" in refused.stderr
