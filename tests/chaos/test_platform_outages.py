"""Discovery, the config server and Zipkin may be down: what runs goes on without them."""

import statistics
import time
from typing import Any

import pytest
import requests

from fusebox.runtime.shop_client import FRESH

from . import fault_injection

# Requests of which the median is taken, with and without Zipkin.
ASKED = 60
# Noise beside other work included: what waits for a dead Zipkin waits a hundred times as long.
SLOWER = 4


@pytest.mark.parametrize("part", ["discovery", "config-server"])
def test_running_services_go_on_and_a_starting_one_has_its_last_known_good_configuration(
    shop: Any, part: str
) -> None:
    customer = shop.customer()
    fault_injection.kill(shop, part)
    assert customer.place(wait=8).json()["status"] == "CONFIRMED"

    fault_injection.kill(shop, "catalog-service")
    assert customer.place().json()["degraded"] == ["catalog-service"]
    fault_injection.start(shop, "catalog-service")
    details = fault_injection.health_of(shop, "catalog-service")["configuration"]["details"]
    expected = "last-known-good" if part == "config-server" else "config-server"
    assert details["source"] == expected

    fault_injection.start(shop, part)
    fault_injection.await_recovery(shop)


def test_a_service_started_without_the_config_server_asks_it_at_a_refresh(shop: Any) -> None:
    fault_injection.kill(shop, "config-server")
    fault_injection.kill(shop, "catalog-service")
    fault_injection.start(shop, "catalog-service")
    fault_injection.start(shop, "config-server")

    refreshed = requests.post(
        f"{fault_injection.url_of(shop, 'catalog-service')}/actuator/refresh",
        headers=shop.operator("catalog-service"),
        timeout=5,
    )

    assert refreshed.status_code == 200, refreshed.text
    details = fault_injection.health_of(shop, "catalog-service")["configuration"]["details"]
    assert details["source"] == "config-server"


def test_a_dead_zipkin_slows_no_request_and_its_spans_are_dropped_and_counted(shop: Any) -> None:
    _median(shop)  # warms up
    with_zipkin = _median(shop)
    # Until its first answer spans are kept: a Zipkin may come up later than the service.
    shop.until(lambda: fault_injection.metric(shop, "catalog-service", SENT) >= ASKED, 30)
    fault_injection.kill(shop, "zipkin")
    dropped = fault_injection.metric(shop, "catalog-service", DROPPED)

    without = _median(shop)

    assert without < SLOWER * with_zipkin + 0.01
    # What cannot be sent is given up, not kept.
    shop.until(
        lambda: fault_injection.metric(shop, "catalog-service", DROPPED) >= dropped + ASKED, 30
    )


SENT = "zipkin_reporter_spans_sent_total"
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
