"""Order outcomes: how the shop decided every order in the end, and the stocks it has left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from fusebox.replay.outcome.reconciliation import PENDING
from fusebox.replay.run.client import ReplayAccount, ReplayClient
from fusebox.replay.run.retry_policy import RETRY_SECONDS, RetryPolicy
from fusebox.replay.run.worker_pool import WorkerPool

PAUSE_SECONDS = 0.5
SETTLE_SECONDS = 30.0


@dataclass
class OrderOutcomes:
    """The status of every order that the shop lists for our customers, by its id."""

    workers: WorkerPool
    admin: ReplayAccount
    retry_policy: RetryPolicy
    statuses: dict[str, str] = field(default_factory=dict)
    _settled: set[str] = field(default_factory=set)

    def collect(self, user_ids: Iterable[str], report_progress: Callable[[int], None]) -> None:
        """Ask until all are decided, or none has been for RETRY_SECONDS."""
        waiting, undecided = list(user_ids), -1
        end = time.monotonic() + RETRY_SECONDS
        while waiting and time.monotonic() < end:
            self.workers.run_all(waiting, self._read, lambda _: report_progress(len(self._settled)))
            waiting = [user_id for user_id in waiting if user_id not in self._settled]
            left = list(self.statuses.values()).count(PENDING)
            if left != undecided:
                undecided, end = left, time.monotonic() + RETRY_SECONDS
            self.retry_policy.sleep(PAUSE_SECONDS if waiting else 0)

    def _read(self, client: ReplayClient, user_id: str) -> None:
        orders = client.pages(f"/order-service/{user_id}/orders?limit=200", self.admin)
        statuses = {order["orderId"]: order["status"] for order in orders}
        self.statuses.update(statuses)
        if PENDING not in statuses.values():
            self._settled.add(user_id)


def settled_stocks(
    client: ReplayClient, prefix: str, expected: Mapping[str, int], retry_policy: RetryPolicy
) -> dict[str, int]:
    """The stocks of the products named `prefix` and a code, by code, as soon as all are `expected`.

    What a cancelled order gives back may still be on its way: after so many seconds without a
    change the last reading counts.
    """
    stocks: dict[str, int] = {}
    end = time.monotonic() + SETTLE_SECONDS
    while stocks != expected and time.monotonic() < end:
        retry_policy.sleep(PAUSE_SECONDS if stocks else 0)
        now = _stocks(client, prefix)
        if now != stocks:
            stocks, end = now, time.monotonic() + SETTLE_SECONDS
    return stocks


def _stocks(client: ReplayClient, prefix: str) -> dict[str, int]:
    return {
        product["productId"].removeprefix(prefix): product["stock"]
        for product in client.pages("/catalog-service/catalogs?limit=200")
        if product["productId"].startswith(prefix)
    }
