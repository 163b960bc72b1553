"""A bounded queue before the cores (Nygard, *Release It!*: shed load, bulkheads).

A hash is all CPU and memory: more of them at once than there are cores only makes each one slower,
and who waits holds a thread that others need.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from chassis.core.errors import Overloaded
from chassis.core.live import Live
from chassis.resilience import deadline


class HashingQueue:
    """One slot a core; `longest` is how many may wait for one, first come, first served."""

    def __init__(self, longest: Live[int], slots: int | None = None) -> None:
        self.slots = slots or os.cpu_count() or 1
        self._longest = longest
        self._changed = threading.Condition()
        self._taken = 0
        self._waiting = 0
        self._refused = 0

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Raises Overloaded when too many wait, or none gets free while the request has time."""
        with self._changed:
            # Who comes while others wait does not pass them.
            if (self._waiting or not self._is_free()) and not self._gets_free():
                self._refused += 1
                raise too_many()
            self._taken += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify()

    def _gets_free(self) -> bool:
        left = deadline.time_left()
        if self._waiting >= self._longest.value or (left is not None and left <= 0):
            return False
        self._waiting += 1
        try:
            return self._changed.wait_for(self._is_free, left)
        finally:
            self._waiting -= 1

    def _is_free(self) -> bool:
        return self._taken < self.slots

    def metrics(self) -> Iterable[Metric]:
        slots = GaugeMetricFamily("password_hashing_active", "Passwords being hashed or checked.")
        slots.add_metric((), self._taken)
        waiting = GaugeMetricFamily("password_hashing_queued", "Requests waiting for their turn.")
        waiting.add_metric((), self._waiting)
        refused = CounterMetricFamily(
            "password_hashing_rejected", "Requests answered 503, for too many were waiting."
        )
        refused.add_metric((), self._refused)
        return slots, waiting, refused


def too_many() -> Overloaded:
    return Overloaded("Too many passwords are being checked; nothing was done.")
