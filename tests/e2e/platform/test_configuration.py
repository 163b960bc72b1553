"""A change of the configuration reaches what runs, without a restart."""

from contextlib import suppress
from typing import Any

import pytest
import requests

OURS = ("config-server", "discovery", "user-service", "catalog-service", "order-service", "gateway")


def fail_max(shop: Any, service: str) -> str | None:
    pages: list[Any] = []

    def look() -> bool:
        # An instance that a test before this one has killed may still be listed.
        with suppress(requests.ConnectionError):
            pages.append(requests.get(f"{shop.url_of(service)}/actuator/env", timeout=5).json())
        return bool(pages)

    shop.until(look)
    for source in pages[0]["propertySources"]:
        entry = source["properties"].get("fusebox.breaker.fail-max")
        if entry:
            return str(entry["value"])
    return None


def test_a_key_set_by_hand_is_in_force_at_once_and_can_be_unset(shop: Any) -> None:
    before = fail_max(shop, "order-service")

    assert "order-service-1" in shop.run("set", "fusebox.breaker.fail-max", "7").stdout
    assert [fail_max(shop, service) for service in ("order-service", "catalog-service")] == [
        "7",
        "7",
    ]

    shop.run("set", "fusebox.breaker.fail-max")
    assert fail_max(shop, "order-service") == before


def ask(shop: Any, instance: str, page: str, body: Any = None) -> requests.Response:
    """A page of the actuator at the process' own port; the gateway's is for admins."""
    url = f"{shop.url_of_instance(instance)}/actuator/{page}"
    headers = shop.operator(instance.rpartition("-")[0])
    method = "GET" if body is None else "POST"
    return requests.request(method, url, json=body, headers=headers, timeout=5)


@pytest.mark.parametrize("service", OURS)
def test_every_process_shows_the_property_source_that_wins(shop: Any, service: str) -> None:
    key = "fusebox.breaker.fail-max"
    shipped = ask(shop, f"{service}-1", f"env/{key}").json()["property"]
    assert shipped["source"].endswith("/config/application.yml")

    shop.run("set", key, "7")
    by_hand = ask(shop, f"{service}-1", f"env/{key}").json()["property"]
    shop.run("set", key)

    assert by_hand == {"source": f"file:{shop.overlay}/application.properties", "value": "7"}
    assert ask(shop, f"{service}-1", f"env/{key}").json()["property"] == shipped


@pytest.mark.parametrize("service", OURS)
def test_a_loggers_level_is_changed_by_hand(shop: Any, service: str) -> None:
    instance, page = f"{service}-1", "loggers/chassis.discovery.client"

    changed = ask(shop, instance, page, {"configuredLevel": "DEBUG"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert ask(shop, instance, page).json()["configuredLevel"] == "DEBUG"

    assert ask(shop, instance, page, {"configuredLevel": None}).status_code == 204
    assert ask(shop, instance, page).json() == {"effectiveLevel": "INFO"}


def test_a_wrong_value_is_refused_with_the_key_and_the_reason(shop: Any) -> None:
    refused = shop.run("set", "fusebox.breaker.fail-max", "many", check=False)

    assert refused.returncode == 1
    assert "fusebox.breaker.fail-max" in refused.stderr
    assert "valid integer" in refused.stderr
    health = requests.get(f"{shop.url_of('order-service')}/actuator/health", timeout=5).json()
    assert health["components"]["configuration"]["status"] == "UP"


def test_an_edited_file_reaches_the_gateway_too(shop: Any) -> None:
    shop.edit("gateway.properties", "fusebox.gateway.zipkin-ui=http://elsewhere.example\n")

    def url() -> str:
        answer = requests.get(f"{shop.gateway}/catalog-service/catalogs", timeout=5)
        return str(answer.headers["X-Trace-Url"])

    shop.until(lambda: url().startswith("http://elsewhere.example/"))
    shop.edit("gateway.properties", None)
    shop.until(lambda: not url().startswith("http://elsewhere.example/"))


def test_an_edited_file_is_noticed_without_a_request(shop: Any) -> None:
    before = fail_max(shop, "order-service")

    shop.edit("order-service.properties", "fusebox.breaker.fail-max=9\n")
    shop.until(lambda: fail_max(shop, "order-service") == "9")
    assert fail_max(shop, "catalog-service") == before

    shop.edit("order-service.properties", None)
    shop.until(lambda: fail_max(shop, "order-service") == before)


def test_busrefresh_at_any_process_refreshes_all(shop: Any) -> None:

    def changes() -> int:
        return int(shop.log("config-server-1").count("order-service-1 has changed"))

    for receiver in ("config-server", "catalog-service"):
        before = changes()

        answer = requests.post(
            f"{shop.url_of(receiver)}/actuator/busrefresh",
            headers=shop.operator(receiver),
            timeout=15,
        )

        assert answer.status_code == 204
        shop.until(lambda before=before: changes() > before)
