"""The phases of a replay, from the shelves that are filled to what is left on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from fusebox.core.progress import Display
from fusebox.replay.outcome.order_outcomes import Fates, settled_stocks
from fusebox.replay.outcome.reconciliation import expected_stocks
from fusebox.replay.plan import Script
from fusebox.replay.run.client import Hand
from fusebox.replay.run.player import Clock, Play, lanes
from fusebox.replay.run.retry_policy import Patience
from fusebox.replay.run.worker_pool import Crew

Item = TypeVar("Item")


@dataclass
class Outcome:
    """How long the orders took, the status of each by its id, and the stocks by code."""

    seconds: float = 0.0
    statuses: dict[str, str] = field(default_factory=dict)
    expected: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Performance:
    script: Script
    play: Play
    crew: Crew
    patience: Patience
    shown: Display

    def run(self, concurrency: int, speed: float) -> Outcome:
        outcome = Outcome()
        self._each("products", list(self.script.products.values()), self.play.create)
        self._each("customers", self.script.customers, self.play.register)
        outcome.seconds = self._order(concurrency, speed)
        outcome.statuses = self._decisions()
        outcome.expected = expected_stocks(self.script, self.play.tally.accepted, outcome.statuses)
        outcome.found = self._stocks(outcome.expected)
        return outcome

    def _each(self, name: str, items: Sequence[Item], act: Callable[[Hand, Item], None]) -> None:
        with step(self.shown, name, len(items)) as told:
            self.crew.each(items, act, told)

    def _order(self, concurrency: int, speed: float) -> float:
        """The seconds that it took."""
        acts, tally = self.script.acts, self.play.tally
        began = time.monotonic()
        clock = Clock(acts[0].at, speed, self.patience)
        with step(self.shown, "orders", len(acts)) as told:
            self.crew.each(
                lanes(acts, concurrency),
                lambda hand, lane: self.play.perform(hand, lane, clock),
                lambda _: told(tally.done),
            )
        return time.monotonic() - began

    def _decisions(self) -> dict[str, str]:
        user_ids = [account.user_id for account in self.play.accounts.values()]
        fates = Fates(self.crew, self.play.admin, self.patience)
        with step(self.shown, "decisions", len(user_ids)) as told:
            fates.learn(user_ids, told)
        return fates.statuses

    def _stocks(self, expected: dict[str, int]) -> dict[str, int]:
        found: dict[str, int] = {}

        def read(hand: Hand, prefix: str) -> None:
            found.update(settled_stocks(hand, prefix, expected, self.patience))

        with step(self.shown, "stocks"):
            self.crew.each([self.play.prefix], read)
        return found


@contextmanager
def step(shown: Display, name: str, of: int = 1) -> Iterator[Callable[[int], None]]:
    """A line on the display; what it yields is told how many of `of` are done."""
    began = time.monotonic()
    shown.started(name)
    yield lambda done: shown.advanced(name, done, of)
    shown.finished(name, time.monotonic() - began)
