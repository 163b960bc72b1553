"""Nobody gets round the gateway: each operation of each service refuses who is not of the shop."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from fusebox.core.topology import SERVICES

FOR_ANYBODY = {"/.well-known/jwks.json"}


def operations(url: str) -> Iterator[tuple[str, str]]:
    """As the service describes them, with any id in their addresses."""
    document = requests.get(f"{url}/actuator/openapi", timeout=5).json()
    for path, methods in document["paths"].items():
        if not path.startswith("/actuator"):
            for method in methods.keys() & {"get", "post", "put", "patch", "delete"}:
                id_ = "6f3b2f9e-6a3c-4d4f-9d63-0d3f5c7f0a11"
                yield method.upper(), re.sub(r"\{[^}]*\}", id_, path)


@pytest.mark.parametrize("service", [part.name for part in SERVICES])
def test_no_operation_is_open_to_a_direct_call(shop: Any, service: str) -> None:
    url, admin = shop.url_of(service), {"Authorization": f"Bearer {shop.admin().token}"}
    known = {(method, path) for method, path in operations(url) if path not in FOR_ANYBODY}
    assert known

    for method, path in known:
        for headers in ({}, admin):
            answer = requests.request(method, url + path, headers=headers, json={}, timeout=5)
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.json()["code"] == "service-unauthenticated"
            assert answer.headers["WWW-Authenticate"] == "Service-Assertion"


def test_whoever_runs_the_shop_is_known_to_its_services(shop: Any) -> None:
    url = f"{shop.url_of('catalog-service')}/catalogs"

    assert requests.get(url, headers=shop.operator("catalog-service"), timeout=5).ok
    other = requests.get(url, headers=shop.operator("order-service"), timeout=5)
    assert other.status_code == 401


def test_the_public_keys_are_for_everybody(shop: Any) -> None:
    assert requests.get(f"{shop.url_of('user-service')}/.well-known/jwks.json", timeout=5).ok


@pytest.mark.parametrize("service", [part.name for part in SERVICES])
def test_a_process_is_not_changed_by_a_stranger(shop: Any, service: str) -> None:
    actuator = f"{shop.url_of(service)}/actuator"

    assert requests.get(f"{actuator}/health", timeout=5).ok
    for page in ("refresh", "busrefresh", "chaosmonkey/enable", "loggers/root"):
        assert requests.post(f"{actuator}/{page}", json={}, timeout=5).status_code == 401


def test_an_assertion_from_outside_is_of_no_use(shop: Any) -> None:
    """Not even a good one: it never gets past the gateway."""
    headers = shop.operator("order-service")
    assert "Service-Assertion" in headers

    answer = requests.get(f"{shop.gateway}/catalog-service/catalogs", headers=headers, timeout=5)

    assert answer.status_code == 200
    orders = f"{shop.gateway}/order-service/{uuid4()}/orders"
    answer = requests.post(orders, headers=headers, json={}, timeout=5)
    assert answer.json()["code"] == "unauthenticated"
