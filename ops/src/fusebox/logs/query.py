"""Which lines of the logs somebody wants to see."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fusebox.logs.event import event_of, level_of
from fusebox.logs.merged import LogLine


@dataclass(frozen=True)
class LogQuery:
    """`level` is a number of `event.LEVELS`, `since` in seconds since 1970."""

    level: int = 0
    since: float = 0.0
    pattern: re.Pattern[str] | None = None

    def takes(self, line: LogLine) -> bool:
        if line.at < self.since:
            return False
        if self.pattern is not None and not self.pattern.search(line.text):
            return False
        if not self.level:
            return True
        level = level_of(line.text, event_of(line.text))
        return level is not None and level >= self.level

    @property
    def is_for_all(self) -> bool:
        return self == LogQuery()
