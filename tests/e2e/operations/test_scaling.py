"""Instances are started, drained and restarted while customers order."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import requests

CALM_SECONDS = 3
MANY_FAILURES = 500


class BusyCustomers:
    """Three customers who order and read; `failures` describes the requests that failed."""

    def __init__(self, shop: Any) -> None:
        self._shop = shop
        self._over = threading.Event()
        self.answers = 0
        self.failures: list[str] = []

    @contextmanager
    def running(self) -> Iterator["BusyCustomers"]:
        threads = [threading.Thread(target=self._order) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            self._until_all_is_well()
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _until_all_is_well(self) -> None:
        """What an earlier test has broken may still be on the mend, and is no failure here."""
        failures = -1
        while failures != len(self.failures):
            failures = len(self.failures)
            assert failures < MANY_FAILURES, self.failures[-1]
            self._over.wait(CALM_SECONDS)
        self.failures.clear()

    def _order(self) -> None:
        customer = self._shop.customer()
        calls = (
            customer.place,
            customer.page,
            lambda: customer.call("GET", "/catalog-service/catalogs"),
        )
        while not self._over.is_set():
            for call in calls:
                self._count(call)
            self._over.wait(0.05)

    def _count(self, call: Any) -> None:
        try:
            answer = call()
        except requests.RequestException as error:
            self.failures.append(repr(error))
            return
        self.answers += 1
        if answer.status_code not in (200, 201):
            self.failures.append(f"{answer.request.method} {answer.url}: {answer.text}")


def instances(shop: Any, service: str) -> list[str]:
    return [name for name, row in shop.rows().items() if row["service"] == service]


def test_a_service_grows_and_shrinks_without_a_failed_request(shop: Any) -> None:
    with BusyCustomers(shop).running() as customers:
        shop.run("scale", "order-service", "3")
        rows = [row for row in shop.rows().values() if row["service"] == "order-service"]
        assert [row["instance"] for row in rows] == [f"order-service-{n}" for n in (1, 2, 3)]
        assert all(row["healthy"] for row in rows)
        assert len({row["pid"] for row in rows}) == 3
        shop.run("scale", "order-service", "1")

    assert customers.failures == []
    assert customers.answers > 0
    # An instance that was drained is gone, not dead.
    assert instances(shop, "order-service") == ["order-service-1"]
    assert shop.run("status").returncode == 0


def test_scaling_restarts_a_killed_instance(shop: Any) -> None:
    shop.kill("catalog-service")

    assert "catalog-service-1" in shop.run("scale", "catalog-service", "1").stdout

    customer = shop.customer()
    shop.until(lambda: customer.place(wait=1).json().get("status") == "CONFIRMED", 30)
    shop.until(lambda: "degraded" not in customer.place().json(), 30)


@pytest.mark.parametrize("verb", [("scale", "gateway", "2"), ("roll", "kafka")])
def test_a_part_with_a_fixed_port_is_neither_scaled_nor_rolled(
    shop: Any, verb: tuple[str, ...]
) -> None:
    refused = shop.run(*verb, check=False)

    assert refused.returncode == 2
    assert "fixed port" in refused.stderr
    assert f"make stop SERVICE={verb[1]}" in refused.stderr
