"""The phases of a replay: products, customers, orders, decisions, and the stocks that are left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from fusebox.core.progress import Display
from fusebox.replay.outcome.order_outcomes import OrderOutcomes, settled_stocks
from fusebox.replay.outcome.reconciliation import expected_stocks
from fusebox.replay.plan import ReplayPlan
from fusebox.replay.run.client import ReplayClient
from fusebox.replay.run.player import Player, ReplayClock, customer_queues
from fusebox.replay.run.retry_policy import RetryPolicy
from fusebox.replay.run.worker_pool import WorkerPool

Item = TypeVar("Item")


@dataclass
class ReplayOutcome:
    """How long the orders took, their statuses by id, and the stocks by code."""

    seconds: float = 0.0
    statuses: dict[str, str] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    stocks: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReplayRunner:
    plan: ReplayPlan
    player: Player
    workers: WorkerPool
    retry_policy: RetryPolicy
    display: Display

    def run(self, concurrency: int, speed: float) -> ReplayOutcome:
        outcome = ReplayOutcome()
        self._run_all("products", list(self.plan.products.values()), self.player.create)
        self._run_all("customers", self.plan.customers, self.player.register)
        outcome.seconds = self._order(concurrency, speed)
        outcome.statuses = self._decisions()
        outcome.expected = expected_stocks(self.plan, self.player.tally.accepted, outcome.statuses)
        outcome.stocks = self._stocks(outcome.expected)
        return outcome

    def _run_all(
        self, name: str, items: Sequence[Item], action: Callable[[ReplayClient, Item], None]
    ) -> None:
        with step(self.display, name, len(items)) as report_progress:
            self.workers.run_all(items, action, report_progress)

    def _order(self, concurrency: int, speed: float) -> float:
        """The seconds that it took."""
        actions, tally = self.plan.actions, self.player.tally
        began = time.monotonic()
        clock = ReplayClock(actions[0].at, speed, self.retry_policy)
        with step(self.display, "orders", len(actions)) as report_progress:
            self.workers.run_all(
                customer_queues(actions, concurrency),
                lambda client, queue: self.player.play(client, queue, clock),
                lambda _: report_progress(tally.done),
            )
        return time.monotonic() - began

    def _decisions(self) -> dict[str, str]:
        user_ids = [account.user_id for account in self.player.accounts.values()]
        outcomes = OrderOutcomes(self.workers, self.player.admin, self.retry_policy)
        with step(self.display, "decisions", len(user_ids)) as report_progress:
            outcomes.collect(user_ids, report_progress)
        return outcomes.statuses

    def _stocks(self, expected: dict[str, int]) -> dict[str, int]:
        stocks: dict[str, int] = {}

        def read(client: ReplayClient, prefix: str) -> None:
            stocks.update(settled_stocks(client, prefix, expected, self.retry_policy))

        with step(self.display, "stocks"):
            self.workers.run_all([self.player.prefix], read)
        return stocks


@contextmanager
def step(display: Display, name: str, of: int = 1) -> Iterator[Callable[[int], None]]:
    """A line on the display; what it yields takes how many of `of` are done."""
    began = time.monotonic()
    display.started(name)
    yield lambda done: display.advanced(name, done, of)
    display.finished(name, time.monotonic() - began)
