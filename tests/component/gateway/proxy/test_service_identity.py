"""The gateway shows a service who calls it, and lets nobody outside say so."""

from pathlib import Path
from typing import Any

import pytest

from chassis.identity.assertions import AssertionVerifier
from chassis.identity.keys import FILE, ServiceKeys

from ....identities import identity, made_secrets


@pytest.fixture
def keys(shop: Any, tmp_path: Path) -> ServiceKeys:
    return ServiceKeys(made_secrets(tmp_path) / FILE)


def shown(upstream: Any) -> list[str]:
    assertions: list[str] = upstream.seen[-1].headers.getall("Service-Assertion", [])
    return assertions


def test_each_service_is_shown_that_the_gateway_calls(shop: Any, keys: ServiceKeys) -> None:
    for service in ("order-service", "catalog-service"):
        upstream = shop.upstream(service=service)

        assert shop.call(f"/{service}/x").ok

        [assertion] = shown(upstream)
        assert AssertionVerifier(service, keys).caller_of(assertion) == "gateway"


@pytest.mark.parametrize(
    "name", ["Service-Assertion", "service-assertion", "SERVICE-ASSERTION", "sErViCe-aSsErTiOn"]
)
def test_nobody_outside_speaks_for_a_service(shop: Any, keys: ServiceKeys, name: str) -> None:
    upstream = shop.upstream()
    forged = identity("ops").assertion("order-service")

    assert shop.call("/order-service/x", headers={name: forged}).ok

    [assertion] = shown(upstream)
    assert AssertionVerifier("order-service", keys).caller_of(assertion) == "gateway"


def test_the_header_cannot_be_dropped_or_added_by_its_name(shop: Any, keys: ServiceKeys) -> None:
    upstream = shop.upstream()

    for headers in (
        {"Connection": "Service-Assertion"},
        {"Connection": "keep-alive, service-assertion", "Service-Assertion": "x"},
    ):
        assert shop.call("/order-service/x", headers=headers).ok
        assert len(shown(upstream)) == 1


def test_no_filter_of_a_route_writes_it(shop: Any, keys: ServiceKeys) -> None:
    route = "spring.cloud.gateway.routes[0]"
    shop.set(
        **{
            f"{route}.id": "edited",
            f"{route}.uri": "lb://order-service",
            f"{route}.predicates[0]": "Path=/edited/**",
            f"{route}.filters[0]": "AddRequestHeader=Service-Assertion, x",
            f"{route}.filters[1]": "RemoveRequestHeader=Service-Assertion",
            f"{route}.filters[2]": "SetRequestHeader=service-assertion, y",
        }
    )
    upstream = shop.upstream()

    assert shop.call("/edited/x").ok

    [assertion] = shown(upstream)
    assert AssertionVerifier("order-service", keys).caller_of(assertion) == "gateway"
