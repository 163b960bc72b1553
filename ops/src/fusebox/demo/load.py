"""Load on the shop: orders at a steady rate, and calls that start in one moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Self, TypeVar

from fusebox.runtime.shop_client import OrderResult

T = TypeVar("T")
START_SECONDS = 10


class DemoLoad:
    """Orders at a steady rate from entry to exit, shared by the `workers`."""

    def __init__(
        self, workers: Sequence[Callable[[], OrderResult]], orders_a_second: float
    ) -> None:
        self.orders: list[OrderResult] = []
        self._pause = len(workers) / orders_a_second
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(worker,), name="demo-load", daemon=True)
            for worker in workers
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _run(self, place_order: Callable[[], OrderResult]) -> None:
        while not self._over.wait(self._pause):
            self.orders.append(place_order())


def all_at_once(calls: Sequence[Callable[[], T]]) -> list[T]:
    """The results in the order of `calls`; no call begins before all are ready to."""
    ready = threading.Barrier(len(calls), timeout=START_SECONDS)

    def run(call: Callable[[], T]) -> T:
        ready.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
