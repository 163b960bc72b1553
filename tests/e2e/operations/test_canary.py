"""A second version of a service beside the first: its share, its users, its end, its relapse."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

SERVICE, CANARY = "catalog-service", "catalog-service-2"
ROUTE = "catalog-service-canary"


@pytest.fixture
def tried(shop: Any) -> Iterator[Any]:
    """The shop; whatever a test has begun is ended."""
    yield shop
    shop.run("heal")
    shop.run("canary", SERVICE, "0")


def served(url: str) -> float:
    """How often the instance that listens there has shown the shelves."""
    text = requests.get(f"{url}/actuator/prometheus", timeout=5).text
    lines = [line for line in text.splitlines() if line.startswith("http_server_requests_")]
    return sum(
        float(line.rpartition(" ")[2])
        for line in lines
        if "_count{" in line and 'uri="/catalogs"' in line
    )


def look(shop: Any, customer: Any = None) -> int:
    """At the shelves, so that no kept answer will do."""
    path = f"/catalog-service/catalogs?{uuid4()}"
    if customer:
        return int(customer.call("GET", path).status_code)
    return requests.get(shop.gateway + path, timeout=15).status_code


def weight(shop: Any) -> dict[str, Any]:
    """What the gateway says of the canary's route; empty when there is none."""
    answer = shop.admin().call("GET", f"/actuator/gateway/routes/{ROUTE}")
    found: dict[str, Any] = answer.json()["metadata"]["weight"] if answer.ok else {}
    return found


def test_a_canary_gets_its_share_and_nothing_of_the_inner_calls(tried: Any) -> None:
    before = set(tried.rows())

    said = tried.run("canary", SERVICE, "20", "--version", "2").stdout

    assert "version 2" in said
    assert "WEIGHT=50" in said
    assert tried.rows()[CANARY]["canary"] == "2"
    canary = tried.url_of_instance(CANARY)
    assert {look(tried) for _ in range(300)} == {200}
    share = served(canary) / 300
    assert 0.1 < share < 0.3
    customer = tried.customer()
    assert {customer.place().status_code for _ in range(20)} == {201}
    assert served(canary) / 300 == share

    assert "as it was" in tried.run("canary", SERVICE, "0").stdout
    assert set(tried.rows()) == before
    assert weight(tried) == {}
    assert look(tried) == 200


def test_a_user_keeps_its_version_while_the_weight_grows(tried: Any) -> None:
    tried.run("canary", SERVICE, "50", "--sticky", "user")
    customers, canary = [tried.customer() for _ in range(8)], tried.url_of_instance(CANARY)

    def on_canary() -> list[bool]:
        found = []
        for customer in customers:
            had = served(canary)
            assert {look(tried, customer) for _ in range(4)} == {200}
            found.append(served(canary) - had)
        assert set(found) <= {0, 4}
        return [bool(each) for each in found]

    first = on_canary()
    tried.run("canary", SERVICE, "80")

    assert all(now for now, then in zip(on_canary(), first, strict=True) if then)
    tried.run("canary", SERVICE, "100")
    assert all(on_canary())


@pytest.mark.parametrize("share", ["30", "100"])
def test_errors_shift_everything_back(tried: Any, share: str) -> None:
    tried.run("canary", SERVICE, share)
    tried.run("fail", SERVICE, "0.9", "--instance", "2")

    def has_relapsed() -> bool:
        for _ in range(30):  # enough within the window, however slow the machine
            look(tried)
        return bool(weight(tried)["relapsed"])

    tried.until(has_relapsed, 30)
    assert {look(tried) for _ in range(50)} == {200}
    health = requests.get(f"{tried.gateway}/actuator/health", timeout=5).json()
    assert health["components"]["canaries"]["details"]["relapsed"] == [ROUTE]

    tried.run("heal", SERVICE)
    tried.run("canary", SERVICE, share)
    assert weight(tried)["current"] == int(share)


def test_a_canary_that_dies_takes_nobody_with_it(tried: Any) -> None:
    tried.run("canary", SERVICE, "100")
    tried.run("kill", SERVICE, "--instance", "2")

    # Who was on its way to the dead one notices, nobody after it.
    tried.until(lambda: look(tried) == 200, 5)
    failed = [status for status in (look(tried) for _ in range(60)) if status != 200]
    assert len(failed) <= 2


def test_while_it_is_on_trial_its_service_is_neither_scaled_nor_rolled(tried: Any) -> None:
    tried.run("canary", SERVICE, "10")

    for verb in (("scale", SERVICE, "3"), ("roll", SERVICE)):
        refused = tried.run(*verb, check=False)
        assert refused.returncode == 1
        assert "WEIGHT=0" in refused.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [(("gateway", "10"), "fixed port"), ((SERVICE, "101"), "share")],
)
def test_what_cannot_be_tried_is_refused(shop: Any, words: tuple[str, ...], told: str) -> None:
    refused = shop.run("canary", *words, check=False)

    assert refused.returncode == 2
    assert told in refused.stderr


def test_what_the_gateway_refuses_leaves_no_canary(shop: Any) -> None:
    refused = shop.run("canary", SERVICE, "10", "--sticky", "moon", check=False)

    assert refused.returncode == 1
    assert "sticky" in refused.stderr
    assert CANARY not in shop.rows()
