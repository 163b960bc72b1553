"""The README's ways to break a service trip its callers' breakers, which close by themselves."""

from collections.abc import Iterator
from typing import Any

import pytest

CALLER, CALLED = "order-service", "catalog-service"


@pytest.fixture
def healed_shop(shop: Any) -> Iterator[Any]:
    yield shop
    shop.run("heal")
    shop.until(lambda: state(shop) == "CLOSED", 30)


def state(shop: Any) -> str:
    return str(shop.breaker(CALLER, CALLED)["state"])


@pytest.mark.parametrize(
    "fault",
    [("slow", CALLED, "800"), ("fail", CALLED, "0.3"), ("fail", CALLED, "1")],
    ids=["MS=800", "RATE=0.3", "RATE=1"],
)
def test_one_customer_s_orders_open_the_breaker_and_after_the_repair_it_closes_without_any(
    healed_shop: Any, fault: tuple[str, ...]
) -> None:
    customer = healed_shop.customer()
    assert customer.place().status_code == 201
    healed_shop.run(*fault)

    def is_open() -> bool:
        assert customer.place().status_code == 201
        return state(healed_shop) == "OPEN"

    healed_shop.until(is_open, 60)
    assert "degraded" in customer.place().json()

    healed_shop.run("heal", CALLED)
    healed_shop.until(lambda: state(healed_shop) == "CLOSED", 20)
    assert "degraded" not in customer.place().json()
