"""Many at the same time: orders in a steady flow, and calls that start in one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from fusebox.demo.assertions import Order

T = TypeVar("T")
START_SECONDS = 10


class Flow:
    """`hands`, each placing an order every so often from entry to exit; `orders` is the harvest."""

    def __init__(self, hands: Sequence[Callable[[], Order]], a_second: float) -> None:
        self.orders: list[Order] = []
        self._pause = len(hands) / a_second
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(hand,), name="tour-flow", daemon=True)
            for hand in hands
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, hand: Callable[[], Order]) -> None:
        while not self._over.wait(self._pause):
            self.orders.append(hand())


def all_at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results in the order of `calls`; no call begins before all are ready to."""
    ready = threading.Barrier(len(calls), timeout=START_SECONDS)

    def run(call: Callable[[], T]) -> T:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
