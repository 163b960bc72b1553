"""All services are restarted under load, and nobody notices."""

import random
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .steady_load import Load

ROLLED = ("order-service", "catalog-service", "user-service")
RATE = 10
CALLS = 20


def test_a_roll_of_every_service_at_once_fails_no_request(shop: Any) -> None:
    load = Load(shop, RATE, random.Random(0))
    before = shop.rows()

    with load.running():
        load.await_shots(CALLS)
        with ThreadPoolExecutor(len(ROLLED)) as pool:
            list(pool.map(lambda service: shop.run("roll", service), ROLLED))
        load.await_shots(CALLS)

    after = shop.rows()
    unchanged = [each for each in ROLLED if after[f"{each}-1"]["pid"] == before[f"{each}-1"]["pid"]]
    assert unchanged == []
    assert [shot for shot in load.shots if shot.is_refused] == []
    assert not load.complaints()
