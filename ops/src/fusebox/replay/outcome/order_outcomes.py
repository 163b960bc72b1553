"""What the shop says in the end: how each order was decided, and what is left of each product."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fusebox.replay.outcome.reconciliation import PENDING
from fusebox.replay.run.client import Account, Hand
from fusebox.replay.run.retry_policy import PATIENCE_SECONDS, Patience
from fusebox.replay.run.worker_pool import Crew

PAUSE_SECONDS = 0.5
SETTLE_SECONDS = 30.0


@dataclass
class Fates:
    """The status of every order that the shop lists for our customers, by its id."""

    crew: Crew
    admin: Account
    patience: Patience
    statuses: dict[str, str] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    def learn(self, user_ids: Iterable[str], told: Callable[[int], None]) -> None:
        """Ask until all are decided, or nothing has been for as long as patience lasts."""
        waiting, undecided = list(user_ids), -1
        end = time.monotonic() + PATIENCE_SECONDS
        while waiting and time.monotonic() < end:
            self.crew.each(waiting, self._ask, lambda _: told(len(self._settled)))
            waiting = [each for each in waiting if each not in self._settled]
            left = list(self.statuses.values()).count(PENDING)
            if left != undecided:
                undecided, end = left, time.monotonic() + PATIENCE_SECONDS
            self.patience.sleep(PAUSE_SECONDS if waiting else 0)

    def _ask(self, hand: Hand, user_id: str) -> None:
        orders = hand.pages(f"/order-service/{user_id}/orders?limit=200", self.admin)
        found = {order["orderId"]: order["status"] for order in orders}
        self.statuses.update(found)
        if PENDING not in found.values():
            self._settled.add(user_id)


def settled_stocks(
    hand: Hand, prefix: str, expected: Mapping[str, int], patience: Patience
) -> dict[str, int]:
    """The stocks of the products named `prefix` and a code, by code, as soon as all are `expected`.

    What a cancelled order gives back may still be on its way: after so many seconds without a
    change what is there counts.
    """
    found: dict[str, int] = {}
    end = time.monotonic() + SETTLE_SECONDS
    while found != expected and time.monotonic() < end:
        patience.sleep(PAUSE_SECONDS if found else 0)
        now = _stocks(hand, prefix)
        if now != found:
            found, end = now, time.monotonic() + SETTLE_SECONDS
    return found


def _stocks(hand: Hand, prefix: str) -> dict[str, int]:
    return {
        product["productId"].removeprefix(prefix): product["stock"]
        for product in hand.pages("/catalog-service/catalogs?limit=200")
        if product["productId"].startswith(prefix)
    }
