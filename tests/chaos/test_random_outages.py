"""Part after part is killed and restarted under load: no order is lost, all are decided."""

import os
import random
import time
from typing import Any

import pytest

from fusebox.operations.verify import command
from fusebox.operations.verify.invariants import PENDING
from gateway.settings import GatewayLimits

from . import fault_injection, kafka_records
from .order_load import OrderLoad

# Both for `make soak`.
MINUTES = float(os.environ.get("FUSEBOX_SOAK_MINUTES", "0.5"))
SEED = int(os.environ.get("FUSEBOX_SEED", random.randrange(1_000_000)))
RATE = 20
KILLED = ("catalog-service", "order-service", "kafka", "postgres", "discovery")
# A part is down while so many calls are made.
CALLS_WITHOUT = 2 * RATE
# The gateway's, for each request (fusebox.gateway.read-timeout-seconds).
DEADLINE_SECONDS = GatewayLimits().read_timeout_seconds
# The idempotency key of a request whose process died is free after half a minute.
ASKED_AGAIN_SECONDS = 60


@pytest.mark.timeout(300 + 120 * MINUTES)
def test_in_random_outages_no_order_is_lost_or_decided_twice_and_every_answer_is_of_the_contract(
    shop: Any,
) -> None:
    print(f"FUSEBOX_SEED={SEED}")
    chance = random.Random(SEED)
    load = OrderLoad(shop, RATE, chance)

    _kill_and_restart(shop, load, chance)
    shop.until(lambda: not _undecided(shop, load), fault_injection.DECIDED_SECONDS)

    assert load.longer_than(DEADLINE_SECONDS + 1) == []
    assert load.accepted() <= _orders(shop).keys(), "an accepted order is lost"
    load.renew_tokens()
    shop.until(lambda: not load.retry_unanswered(), ASKED_AGAIN_SECONDS)
    assert {len(orders) for orders in load.orders_of_keys().values()} == {1}
    shop.until(lambda: not _undecided(shop, load), fault_injection.DECIDED_SECONDS)
    assert not load.complaints()
    _assert_decided_once(shop, load)
    fault_injection.assert_verified(shop)


def _kill_and_restart(shop: Any, load: OrderLoad, chance: random.Random) -> None:
    """Rounds of kills until the time is over, and in any case one whole round."""
    end = time.monotonic() + 60 * MINUTES
    with load.running():
        while True:
            for part in chance.sample(KILLED, len(KILLED)):
                fault_injection.kill(shop, part)
                load.await_calls(CALLS_WITHOUT)
                fault_injection.start(shop, part)
            if time.monotonic() > end:
                break
            load.renew_tokens()


def _orders(shop: Any) -> dict[str, str]:
    return {key: order.status for key, order in command.read(shop.stack).orders.items()}


def _undecided(shop: Any, load: OrderLoad) -> list[str]:
    orders = _orders(shop)
    return [order_id for order_id in load.accepted() if orders.get(order_id) == PENDING]


def _assert_decided_once(shop: Any, load: OrderLoad) -> None:
    orders, decisions = _orders(shop), kafka_records.decisions(shop, load.accepted())
    cancelled = load.cancelled()
    assert all(orders[order_id] == "CANCELLED" for order_id in cancelled)
    # A cancel that is faster than its order leaves nothing to decide.
    assert {decisions[order_id] for order_id in load.accepted() - cancelled} == {1}
    assert {decisions[order_id] for order_id in cancelled} <= {0, 1}
