"""How many records may go to the dead letters before it is no longer their fault.

After `DlqLimit` of Sentry's arroyo: a record now and then is wrong; a long run of them, or a large
share, says that we are, or the world is, and then nothing more is given up.
"""

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import repeat

from chassis.config.settings import DeadLetterSettings
from chassis.core.live import Live


class DeadLetterReason(StrEnum):
    """Why a record is given up."""

    INVALID = "cannot be read"
    FAILED = "cannot be handled"


@dataclass
class _History:
    """Of one topic: what came in a row, and the newest outcomes, True for a failure."""

    run: Counter[DeadLetterReason] = field(default_factory=Counter)
    outcomes: deque[bool] = field(default_factory=deque)
    is_refused: bool = False


class DeadLetterLimit:
    """Asked before each dead letter, and told of each success, topic by topic."""

    def __init__(self, settings: Live[DeadLetterSettings]) -> None:
        self._settings = settings
        self._histories: dict[str, _History] = {}
        self._lock = threading.Lock()

    def succeeded(self, topic: str, records: int = 1) -> None:
        """So many of `topic` had their effect, one after another."""
        with self._lock:
            history = self._histories.setdefault(topic, _History())
            history.run.clear()
            if history.is_refused:
                # It works again, and what was wrong before says nothing of what comes.
                history.outcomes.clear()
                history.is_refused = False
            self._remember(history, False, records)

    def refusal(self, topic: str, fault: DeadLetterReason) -> str:
        """Why a record of `topic` must not be given up; empty when it may, and is counted."""
        settings = self._settings.value
        longest = {
            DeadLetterReason.INVALID: settings.max_consecutive_invalid,
            DeadLetterReason.FAILED: settings.max_consecutive_failed,
        }[fault]
        with self._lock:
            history = self._histories.setdefault(topic, _History())
            reason = ""
            if history.run[fault] >= longest:
                reason = f"{history.run[fault]} in a row {fault}".replace("cannot", "could not")
            elif self._share(history) > settings.max_share:
                reason = f"{self._share(history):.0%} of the last {settings.window} were given up"
            history.is_refused = bool(reason)
            if not reason:
                history.run[fault] += 1
                self._remember(history, True, 1)
            return reason

    def _share(self, history: _History) -> float:
        """Of a full window; of less it would be chance."""
        if len(history.outcomes) < self._settings.value.window:
            return 0.0
        return sum(history.outcomes) / len(history.outcomes)

    def _remember(self, history: _History, is_failure: bool, records: int) -> None:
        window = self._settings.value.window
        history.outcomes.extend(repeat(is_failure, min(records, window)))
        while len(history.outcomes) > window:
            history.outcomes.popleft()
