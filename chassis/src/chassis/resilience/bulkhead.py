"""Bulkhead (Michael Nygard, *Release It!*): a bound on the calls that wait for one service.

A slow service cannot take all threads of its callers.
"""

import threading

from chassis.config.settings import BulkheadSettings
from chassis.core.errors import Overloaded
from chassis.core.live import Live


class Bulkhead:
    def __init__(self, name: str, settings: Live[BulkheadSettings]) -> None:
        self._name = name
        self._settings = settings
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0
        self._taken = 0

    def enter(self) -> None:
        """Take a place, until `leave`.

        Overloaded when all places are taken, and none gets free within the configured wait.
        """
        with self._lock:
            if not (self._is_free() or self._gets_free()):
                raise Overloaded(f"{self._taken} calls to {self._name} are under way already.")
            self._taken += 1

    def leave(self) -> None:
        with self._lock:
            self._taken -= 1
            if self._waiting:
                self._changed.notify()

    def _gets_free(self) -> bool:
        self._waiting += 1
        try:
            return self._changed.wait_for(self._is_free, self._settings.value.max_wait_seconds)
        finally:
            self._waiting -= 1

    def _is_free(self) -> bool:
        return self._taken < self._settings.value.max_concurrent_calls
