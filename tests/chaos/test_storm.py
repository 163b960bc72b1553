"""As many orders as the shop takes while parts are killed: none is lost, none is placed twice.

A few by default, 100,000 with 20 kills as `make storm`.
"""

import os
import random
import uuid
from typing import Any

import pytest

from fusebox.operations.verify import command
from fusebox.operations.verify.invariants import PENDING

from . import fault_injection
from .storm_load import StormLoad

ORDERS = int(os.environ.get("FUSEBOX_STORM_ORDERS", "600"))
KILLS = int(os.environ.get("FUSEBOX_STORM_KILLS", "3"))
SEED = int(os.environ.get("FUSEBOX_SEED", random.randrange(1_000_000)))
KILLED = ("order-service", "catalog-service", "kafka", "postgres")
# The slowest machine that has been seen answers so many a second.
SLOWEST_RATE = 20


@pytest.mark.timeout(300 + 60 * KILLS + ORDERS / SLOWEST_RATE)
def test_in_a_storm_every_accepted_order_is_kept_placed_once_and_decided(shop: Any) -> None:
    print(f"FUSEBOX_SEED={SEED}: {ORDERS} orders, {KILLS} kills")
    chance = random.Random(SEED)
    plenty, scarce = _product(shop, stock=ORDERS), _product(shop, stock=ORDERS // 10)
    load = StormLoad(shop, ORDERS, [plenty, scarce], chance)
    before = _orders(shop).keys()

    with load.running():
        for number in range(1, KILLS + 1):
            load.await_answers(ORDERS * number // (KILLS + 1))
            part = chance.choice(KILLED)
            fault_injection.kill(shop, part)
            fault_injection.start(shop, part)

    print(f"{len(load.accepted)} placed by {load.requests} requests in {load.seconds:.0f} s")
    assert load.failures == []
    shop.until(lambda: PENDING not in _orders(shop).values(), fault_injection.USUAL_SECONDS)
    placed, accepted = _orders(shop).keys() - before, set(load.accepted.values())
    assert accepted <= placed, "an accepted order is lost"
    assert len(accepted) == len(load.accepted), "two keys got one order"
    assert placed == accepted, "an order was placed twice"
    assert shop.stock(scarce) == 0
    fault_injection.assert_verified(shop)


def _product(shop: Any, stock: int) -> str:
    product_id = f"STORM-{uuid.uuid4().hex[:8]}"
    product = {"productId": product_id, "productName": "Rain", "unitPrice": 1, "stock": stock}
    assert shop.admin().call("POST", "/catalog-service/catalogs", json=product).status_code == 201
    return product_id


def _orders(shop: Any) -> dict[str, str]:
    return {key: order.status for key, order in command.read(shop.stack).orders.items()}
