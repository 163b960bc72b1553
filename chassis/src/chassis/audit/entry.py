"""An entry of the audit trail: who did what to which thing, from where, with which outcome.

The OWASP Logging Cheat Sheet says what belongs into one.  What is secret stays out, and so do the
words of a stranger, but for the path that they have called.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from chassis.core.clock import rfc3339

LONGEST_TEXT = 200


class Outcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True)
class AuditEntry:
    """`actor` is the subject of a token, `target` the path of the thing within its service.

    `times` is more than one for refusals of a flood, which are told together.
    """

    action: str
    outcome: Outcome
    target: str
    actor: str | None = None
    source: str | None = None
    trace_id: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    times: int = 1
    id: UUID = field(default_factory=uuid7)
    occurred_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def about(self, actor: str | None, target: str) -> "AuditEntry":
        """The same, now that it is known who it was, or whom it was about."""
        return replace(self, actor=actor, target=target)

    def refused(self, **detail: Any) -> "AuditEntry":
        return replace(self, outcome=Outcome.REFUSED, detail={**self.detail, **detail})

    def document(self) -> dict[str, Any]:
        """For the service that keeps the trail."""
        return {
            "entryId": str(self.id),
            "occurredAt": rfc3339(self.occurred_at),
            "action": self.action,
            "outcome": self.outcome.value,
            "target": self.target,
            "actor": self.actor,
            "source": self.source,
            "traceId": self.trace_id,
            "times": self.times,
            "detail": dict(self.detail),
        }


def shortened(text: str) -> str:
    """For what a stranger has written: it may be as long as an address can be."""
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
