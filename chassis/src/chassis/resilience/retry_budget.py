"""Retry budget (Finagle; Google's SRE book): the share of calls that may be repeated.

Without one, an outage would double its own load.
"""

import threading

from chassis.config.settings import RetrySettings
from chassis.core.live import Live

# What quiet times may save up; one at the start, so that the first calls are not without any.
MOST_SAVED = 10.0
AT_START = 1.0


class RetryBudget:
    def __init__(self, settings: Live[RetrySettings]) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._saved = AT_START

    def called(self) -> None:
        with self._lock:
            self._saved = min(MOST_SAVED, self._saved + self._settings.value.budget)

    def take(self) -> bool:
        """Whether one more retry is within the budget; it is taken then."""
        with self._lock:
            # A hair below 1: ten times a tenth is a little less.
            affordable = self._saved > 1 - 1e-9
            if affordable:
                self._saved -= 1
            return affordable
