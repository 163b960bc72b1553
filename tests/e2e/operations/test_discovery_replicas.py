"""Two replicas of discovery: one dies, the shop goes on, and it comes back knowing everybody."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

NAMES = {"catalog-service-1", "order-service-1", "user-service-1", "gateway-1", "config-server-1"}


@pytest.fixture
def doubled(shop: Any) -> Iterator[Any]:
    shop.run("scale", "discovery", "2")
    yield shop
    shop.run("heal")
    shop.run("scale", "discovery", "1")


def leases(base: str) -> dict[str, dict[str, Any]]:
    """What the replica at `base` has; nothing while it fills itself."""
    answer = requests.get(f"{base}/eureka/apps", headers={"Accept": "application/json"}, timeout=5)
    if answer.status_code == 503:
        return {}
    found = answer.json()["applications"]["application"]
    return {each["instanceId"]: each for app in found for each in app["instance"]}


def renewed(base: str, instance: str) -> int:
    return int(leases(base)[instance]["leaseInfo"]["lastRenewalTimestamp"])


def told(shop: Any, service: str) -> str:
    page = requests.get(f"{shop.url_of(service)}/actuator/env", timeout=5).json()
    keys = [each["properties"] for each in page["propertySources"]]
    key = "eureka.client.service-url.defaultZone"
    return str(next(each[key]["value"] for each in keys if key in each))


def test_the_shop_outlives_a_replica_that_comes_back_knowing_all(doubled: Any) -> None:
    first, second = doubled.url_of_instance("discovery-1"), doubled.url_of_instance("discovery-2")
    places = [doubled.place_of(f"discovery-{number}").url for number in (1, 2)]
    assert told(doubled, "order-service") == f"{places[0]}/eureka/,{places[1]}/eureka/"
    doubled.until(lambda: leases(second).keys() >= {*NAMES, "discovery-1", "discovery-2"})

    doubled.run("kill", "discovery", "--instance", "1")
    before = {name: renewed(second, name) for name in NAMES}
    # Every client renews its lease at the other one, and a new instance is found there.
    doubled.until(lambda: all(renewed(second, name) > was for name, was in before.items()), 20)
    doubled.run("scale", "catalog-service", "2")
    assert "catalog-service-2" in leases(second)
    assert doubled.rows()["catalog-service-2"]["healthy"]
    customer = doubled.customer()
    assert customer.place(wait=5).json()["status"] == "CONFIRMED"

    doubled.start("discovery")
    first = doubled.url_of_instance("discovery-1")  # a container may come back at another address
    assert leases(first).keys() >= {*NAMES, "catalog-service-2", "discovery-2"}
    doubled.run("scale", "catalog-service", "1")
    for base in (first, second):
        doubled.until(lambda base=base: "catalog-service-2" not in leases(base), 5)


def test_one_replica_alone_is_as_before(shop: Any) -> None:
    before = told(shop, "catalog-service")
    assert "discovery-3" in shop.run("scale", "discovery", "3").stdout
    assert len(told(shop, "catalog-service").split(",")) == 3

    shop.run("scale", "discovery", "1")

    assert told(shop, "catalog-service") == before
    assert [name for name in shop.rows() if name.startswith("discovery")] == ["discovery-1"]
    first = shop.url_of_instance("discovery-1")
    shop.until(lambda: "discovery-2" not in leases(first), 5)


@pytest.mark.parametrize("number", ["0", "6"])
def test_none_at_all_or_far_too_many_are_refused(shop: Any, number: str) -> None:
    refused = shop.run("scale", "discovery", number, check=False)

    assert refused.returncode == 2
    assert f"{number} replicas" in refused.stderr
