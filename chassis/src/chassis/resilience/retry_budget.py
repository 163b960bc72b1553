"""A retry budget: of so many calls so many may be repeated, lest an outage doubles its own load."""

import threading
from collections.abc import Callable

from chassis.config.settings import RetrySettings

# What quiet times may save up; one at the start, so that the first calls are not without any.
MOST_SAVED = 10.0
AT_START = 1.0


class RetryBudget:
    def __init__(self, settings: Callable[[], RetrySettings]) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._saved = AT_START

    def called(self) -> None:
        with self._lock:
            self._saved = min(MOST_SAVED, self._saved + self._settings().budget)

    def take(self) -> bool:
        """Whether one more retry is within the budget; it is taken then."""
        with self._lock:
            # A hair below 1: ten times a tenth is a little less.
            affordable = self._saved > 1 - 1e-9
            if affordable:
                self._saved -= 1
            return affordable
