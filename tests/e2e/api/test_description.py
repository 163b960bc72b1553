"""The description of the running shop: valid, whole, and honest about a service that is away."""

from typing import Any

import requests
from openapi_spec_validator import validate

from ...running import RunningShop

SERVICES = {"user-service", "order-service", "catalog-service"}


def description(shop: RunningShop) -> dict[str, Any]:
    answer = requests.get(f"{shop.gateway}/openapi.json", timeout=10)
    assert answer.status_code == 200
    document: dict[str, Any] = answer.json()
    return document


def test_the_description_is_valid_and_has_operations_of_every_service(shop: RunningShop) -> None:
    document = description(shop)

    validate(document)
    paths = {path.split("/")[1] for path in document["paths"]}
    assert paths >= SERVICES


def test_a_person_reads_it_as_a_page(shop: RunningShop) -> None:
    page = requests.get(f"{shop.gateway}/docs", timeout=10)

    assert page.headers["Content-Type"].startswith("text/html")
    for path in description(shop)["paths"]:
        assert f"<code>{path}</code>" in page.text


def test_a_service_that_is_away_is_described_as_it_was_last_known(shop: RunningShop) -> None:
    before = description(shop)["paths"]

    shop.run("stop", "catalog-service")
    try:
        shop.until(
            lambda: "last known: catalog-service" in description(shop)["info"]["description"]
        )
        during = description(shop)["paths"]
    finally:
        shop.start("catalog-service")

    assert during == before
    shop.until(lambda: "last known" not in description(shop)["info"]["description"])
