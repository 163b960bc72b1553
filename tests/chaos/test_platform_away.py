"""Discovery, the config server and Zipkin help; nobody who runs depends on them."""

import statistics
import time
from typing import Any

import pytest
import requests

from fusebox.core.shop_client import FRESH

from .table import breaking

# Requests of which the median is taken, with and without Zipkin.
ASKED = 60
# Noise beside other work included: what waits for a dead Zipkin waits a hundred times as long.
SLOWER = 4


@pytest.mark.parametrize("part", ["discovery", "config-server"])
def test_who_runs_goes_on_and_who_starts_has_its_last_good_configuration(
    shop: Any, part: str
) -> None:
    customer = shop.customer()
    breaking.kill(shop, part)
    assert customer.place(wait=8).json()["status"] == "CONFIRMED"

    breaking.kill(shop, "catalog-service")
    assert customer.place().json()["degraded"] == ["catalog-service"]
    breaking.start(shop, "catalog-service")
    told = breaking.health_of(shop, "catalog-service")["configuration"]["details"]
    expected = "last-known-good" if part == "config-server" else "config-server"
    assert told["source"] == expected

    breaking.start(shop, part)
    breaking.await_usual(shop)


def test_who_started_without_the_config_server_asks_it_at_a_refresh(shop: Any) -> None:
    breaking.kill(shop, "config-server")
    breaking.kill(shop, "catalog-service")
    breaking.start(shop, "catalog-service")
    breaking.start(shop, "config-server")

    refreshed = requests.post(
        f"{breaking.url_of(shop, 'catalog-service')}/actuator/refresh", timeout=5
    )

    assert refreshed.status_code == 200, refreshed.text
    told = breaking.health_of(shop, "catalog-service")["configuration"]["details"]
    assert told["source"] == "config-server"


def test_a_dead_zipkin_slows_nobody_and_its_spans_are_dropped_and_counted(shop: Any) -> None:
    _median(shop)  # warms up
    with_zipkin = _median(shop)
    breaking.kill(shop, "zipkin")
    dropped = breaking.metric(shop, "catalog-service", DROPPED)

    without = _median(shop)

    assert without < SLOWER * with_zipkin + 0.01
    # What cannot be sent is given up, not kept.
    shop.until(lambda: breaking.metric(shop, "catalog-service", DROPPED) >= dropped + ASKED, 30)


DROPPED = "zipkin_reporter_spans_dropped_total"


def _median(shop: Any) -> float:
    """Seconds of a request that passes two processes."""
    with requests.Session() as session:
        return statistics.median(_seconds(shop, session) for _ in range(ASKED))


def _seconds(shop: Any, session: requests.Session) -> float:
    began = time.monotonic()
    path = "/catalog-service/catalogs/CATALOG-0001"
    session.get(shop.gateway + path, headers=FRESH, timeout=5)
    return time.monotonic() - began
