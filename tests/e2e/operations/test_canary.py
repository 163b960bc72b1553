"""Canary releases: a second version beside the first, its share, its users, its rollback."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

SERVICE, CANARY = "catalog-service", "catalog-service-2"
ROUTE = "catalog-service-canary"


@pytest.fixture
def canary_shop(shop: Any) -> Iterator[Any]:
    """The shop; a canary that a test has started is ended."""
    yield shop
    shop.run("heal")
    shop.run("canary", SERVICE, "0")


def requests_served(url: str) -> float:
    """How many requests for the list of products that instance has served."""
    text = requests.get(f"{url}/actuator/prometheus", timeout=5).text
    lines = [line for line in text.splitlines() if line.startswith("http_server_requests_")]
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if "_count{" in line and 'uri="/catalogs"' in line
    )


def list_products(shop: Any, customer: Any = None) -> int:
    """The status of a request that no cache can answer."""
    path = f"/catalog-service/catalogs?{uuid4()}"
    if customer:
        return int(customer.call("GET", path).status_code)
    return requests.get(shop.gateway + path, timeout=15).status_code


def weight(shop: Any) -> dict[str, Any]:
    """The weight of the canary's route at the gateway; empty when there is none."""
    answer = shop.admin().call("GET", f"/actuator/gateway/routes/{ROUTE}")
    metadata: dict[str, Any] = answer.json()["metadata"] if answer.ok else {"weight": {}}
    return dict(metadata["weight"])


def test_a_canary_gets_its_share_of_the_gateways_calls_and_none_between_services(
    canary_shop: Any,
) -> None:
    before = set(canary_shop.rows())

    output = canary_shop.run("canary", SERVICE, "20", "--version", "2").stdout

    assert "version 2" in output
    assert "WEIGHT=50" in output
    assert canary_shop.rows()[CANARY]["canary"] == "2"
    canary = canary_shop.url_of_instance(CANARY)
    assert {list_products(canary_shop) for _ in range(300)} == {200}
    share = requests_served(canary) / 300
    assert 0.1 < share < 0.3
    customer = canary_shop.customer()
    assert {customer.place().status_code for _ in range(20)} == {201}
    assert requests_served(canary) / 300 == share

    assert "as it was" in canary_shop.run("canary", SERVICE, "0").stdout
    assert set(canary_shop.rows()) == before
    assert weight(canary_shop) == {}
    assert list_products(canary_shop) == 200


def test_a_user_keeps_its_version_while_the_weight_grows(canary_shop: Any) -> None:
    canary_shop.run("canary", SERVICE, "50", "--sticky", "user")
    customers = [canary_shop.customer() for _ in range(8)]
    canary = canary_shop.url_of_instance(CANARY)

    def on_canary() -> list[bool]:
        counts = []
        for customer in customers:
            before = requests_served(canary)
            assert {list_products(canary_shop, customer) for _ in range(4)} == {200}
            counts.append(requests_served(canary) - before)
        assert set(counts) <= {0, 4}
        return [bool(count) for count in counts]

    first = on_canary()
    canary_shop.run("canary", SERVICE, "80")

    assert all(now for now, then in zip(on_canary(), first, strict=True) if then)
    canary_shop.run("canary", SERVICE, "100")
    assert all(on_canary())


@pytest.mark.parametrize("share", ["30", "100"])
def test_a_failing_canary_is_rolled_back(canary_shop: Any, share: str) -> None:
    canary_shop.run("canary", SERVICE, share)
    canary_shop.run("fail", SERVICE, "0.9", "--instance", "2")

    def is_rolled_back() -> bool:
        for _ in range(30):  # enough within the window, however slow the machine
            list_products(canary_shop)
        return bool(weight(canary_shop)["relapsed"])

    canary_shop.until(is_rolled_back, 30)
    assert {list_products(canary_shop) for _ in range(50)} == {200}
    health = requests.get(f"{canary_shop.gateway}/actuator/health", timeout=5).json()
    assert health["components"]["canaries"]["details"]["relapsed"] == [ROUTE]

    canary_shop.run("heal", SERVICE)
    canary_shop.run("canary", SERVICE, share)
    assert weight(canary_shop)["current"] == int(share)


def test_a_canary_that_dies_fails_hardly_any_request(canary_shop: Any) -> None:
    canary_shop.run("canary", SERVICE, "100")
    canary_shop.run("kill", SERVICE, "--instance", "2")

    # Requests in flight to the dead one may fail, none after them.
    canary_shop.until(lambda: list_products(canary_shop) == 200, 5)
    failed = [status for status in (list_products(canary_shop) for _ in range(60)) if status != 200]
    assert len(failed) <= 2


def test_a_service_with_a_canary_is_neither_scaled_nor_rolled(canary_shop: Any) -> None:
    canary_shop.run("canary", SERVICE, "10")

    for verb in (("scale", SERVICE, "3"), ("roll", SERVICE)):
        refused = canary_shop.run(*verb, check=False)
        assert refused.returncode == 1
        assert "WEIGHT=0" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [(("gateway", "10"), "fixed port"), ((SERVICE, "101"), "0 to 100")],
)
def test_a_canary_that_cannot_be_is_refused(
    shop: Any, arguments: tuple[str, ...], complaint: str
) -> None:
    refused = shop.run("canary", *arguments, check=False)

    assert refused.returncode == 2
    assert complaint in refused.stderr


def test_options_that_the_gateway_refuses_leave_no_canary(shop: Any) -> None:
    refused = shop.run("canary", SERVICE, "10", "--sticky", "moon", check=False)

    assert refused.returncode == 1
    assert "sticky" in refused.stderr
    assert CANARY not in shop.rows()
