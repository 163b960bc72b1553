"""Fault injection: parts are killed, paused and slowed, and the shop is looked at from outside."""

from __future__ import annotations

from typing import Any

import requests

from fusebox.operations import faults, instances
from fusebox.operations.verify.command import verify
from fusebox.runtime.shop_client import Customer

from ..running import RunningShop

# Promised is 15 s after the last repair; beside other work on two cores, that is no moment.
DECIDED_SECONDS = 15.0
USUAL_SECONDS = 60.0


def kill(shop: RunningShop, service: str, number: int | None = None) -> None:
    instances.kill(shop.stack, service, number)


def start(shop: RunningShop, service: str) -> None:
    instances.start(shop.stack, service, None)


def pause(shop: RunningShop, service: str) -> None:
    faults.pause(shop.stack, service)


def slow(shop: RunningShop, service: str, milliseconds: int) -> None:
    faults.slow(shop.stack, service, milliseconds)


def heal(shop: RunningShop, service: str | None = None) -> None:
    faults.heal(shop.stack, service)


def await_recovery(shop: RunningShop) -> None:
    """Until orders are decided at once and pages are whole: breakers closed, consumers back."""
    customer = None

    def is_recovered() -> bool:
        nonlocal customer
        try:
            customer = customer or shop.customer()
            placed = customer.place(wait=1).json()
            page = customer.page()
            listed = customer.call("GET", "/catalog-service/catalogs")
        except requests.RequestException:
            return False
        whole = "degraded" not in placed and "degraded" not in page.json()
        return whole and placed.get("status") == "CONFIRMED" and page.ok and listed.ok

    shop.until(is_recovered, USUAL_SECONDS)


def final_status(customer: Customer, order_id: str) -> str:
    """What has become of the order; empty while it is PENDING or cannot be asked."""
    answer = customer.order(order_id)
    status = str(answer.json()["status"]) if answer.ok else "PENDING"
    return "" if status == "PENDING" else status


def assert_verified(shop: RunningShop) -> None:
    broken = [finding for finding in verify(shop.stack) if not finding.holds]
    assert not broken, broken


def url_of(shop: RunningShop, service: str) -> str:
    """Where the instance 1 of `service` listens, whether or not discovery knows."""
    return shop.url_of_instance(f"{service}-1")


def health_of(shop: RunningShop, service: str) -> dict[str, Any]:
    answer = requests.get(f"{url_of(shop, service)}/actuator/health", timeout=5)
    components: dict[str, Any] = answer.json()["components"]
    return components


def metric(shop: RunningShop, service: str, name: str) -> float:
    """The value of the unlabelled metric `name`."""
    text = requests.get(f"{url_of(shop, service)}/actuator/prometheus", timeout=5).text
    values = [line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")]
    return float(values[0])
