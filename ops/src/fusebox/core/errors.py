"""The one exception behind every fault that is expected: what, where, what to do."""

from __future__ import annotations

from typing import Any


class Fault(Exception):
    """What happened, where it is to be seen, and what the reader can do about it."""

    def __init__(self, what: str, *, where: str = "", remedy: str = "", exit_code: int = 1) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.remedy = remedy
        self.exit_code = exit_code

    def fields(self) -> dict[str, Any]:
        """What it is made of again, in another process."""
        return {
            "what": self.what,
            "where": self.where,
            "remedy": self.remedy,
            "exit_code": self.exit_code,
        }

    def lines(self) -> list[str]:
        lines = [f"fusebox: {self.what}"]
        if self.where:
            lines.append(self.where)
        if self.remedy:
            lines.append(f"What to do: {self.remedy}")
        return lines


class Interrupted(Exception):
    """SIGTERM, told like KeyboardInterrupt so that `up` can clear away behind itself."""
