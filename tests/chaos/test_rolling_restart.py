"""All services are restarted under load, one instance after another, and no request fails."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .order_load import OrderLoad

ROLLED = ("order-service", "catalog-service", "user-service")
RATE = 10
CALLS = 20


def test_a_rolling_restart_of_every_service_at_once_fails_no_request(shop: Any) -> None:
    load = OrderLoad(shop, RATE, random.Random(0))
    before = shop.rows()

    with load.running():
        load.await_calls(CALLS)
        with ThreadPoolExecutor(len(ROLLED)) as pool:
            list(pool.map(lambda service: shop.run("roll", service), ROLLED))
        load.await_calls(CALLS)

    after = shop.rows()
    unchanged = [name for name in ROLLED if after[f"{name}-1"]["pid"] == before[f"{name}-1"]["pid"]]
    assert unchanged == []
    assert [call for call in load.calls if call.is_refused] == []
    assert not load.complaints()
