"""What the gateway refuses, and what it lets admins do, told to the service with the audit trail.

Requests do not wait for it, and while user-service is away entries wait here, so many at most.
"""

import logging
import threading
from collections import deque
from collections.abc import Sequence
from itertools import islice

from chassis.audit.entry import AuditEntry, Outcome, shortened
from chassis.audit.refusals import Refusals, is_refusal
from chassis.config.settings import AuditSettings
from chassis.core.errors import Problem
from chassis.core.live import Live
from chassis.resilience.service_client import ServiceClient
from gateway.http.messages import Request

log = logging.getLogger(__name__)

PAGE = "/actuator/audit"
MOST_WAITING = 1000
BATCH = 100
PAUSE_SECONDS = 1.0
NO_CONTENT = 204


class NoRoom(Exception):
    """So many wait already: of a flood the number will do."""


class AuditReports:
    """`run` and `refusals.run` are for Workers, in this order."""

    def __init__(self, trail: ServiceClient, settings: Live[AuditSettings]) -> None:
        self._trail = trail
        self._lock = threading.Lock()
        self._waiting: deque[AuditEntry] = deque()
        self.refusals = Refusals(self._put, settings, (NoRoom,))

    def refused(self, request: Request, problem: Problem, actor: str | None) -> None:
        if is_refusal(problem):
            detail = {"method": request.method, "code": problem.code}
            self.refusals.record(_entry("access", Outcome.REFUSED, request, actor, detail))

    def let_through(self, request: Request, actor: str) -> None:
        """An admin who changes something on an inner page."""
        detail = {"method": request.method}
        entry = _entry("actuator", Outcome.DONE, request, actor, detail)
        try:
            self._put([entry])
        except NoRoom:
            self.refusals.record(entry)

    def run(self, stop: threading.Event) -> None:
        while not stop.wait(PAUSE_SECONDS):
            self._report()
        self._report()

    def _put(self, entries: Sequence[AuditEntry]) -> None:
        with self._lock:
            if len(self._waiting) + len(entries) > MOST_WAITING:
                raise NoRoom
            self._waiting.extend(entries)

    def _report(self) -> None:
        while self._waiting:
            with self._lock:
                batch = list(islice(self._waiting, BATCH))
            try:
                # Told a second time, when the answer was lost, an entry is there once.
                answer = self._trail.post(PAGE, PAGE, [entry.document() for entry in batch])
            except Problem as problem:
                log.info("%d entries wait for the audit trail: %s", len(self._waiting), problem)
                return
            if answer.status_code != NO_CONTENT:
                log.error("the audit trail refused entries with %d", answer.status_code)
            with self._lock:
                for _ in batch:
                    self._waiting.popleft()


def _entry(
    action: str,
    outcome: Outcome,
    request: Request,
    actor: str | None,
    detail: dict[str, str],
) -> AuditEntry:
    return AuditEntry(
        action, outcome, shortened(request.path), actor, request.remote, request.trace_id, detail
    )
