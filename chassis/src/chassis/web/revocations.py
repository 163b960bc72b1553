"""Who is no longer what their tokens say: asked of the issuer again and again, and remembered.

A token is good until it is over, and nobody has to be asked about it (RFC 9068); what changes
meanwhile, a role taken away or an account closed, is told here within seconds.
"""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.alias_generators import to_camel

from chassis.core.errors import Problem, Unavailable

log = logging.getLogger(__name__)

# Of the actuator; a time follows.
ENDPOINT = "revocations"
# With the longest wait for an answer it is five seconds until everybody knows.
POLL_SECONDS = 2.0
# Asked for once more: what was begun before the last answer may have been committed after it.
OVERLAP_SECONDS = 15.0
# Some 20 MB.  Of more the oldest are forgotten, whose tokens are over soonest.
MOST_ACCOUNTS = 50_000


class RevocationsAnswer(BaseModel):
    """`accounts` has the roles that are left, by the subject of the tokens."""

    model_config = {"alias_generator": to_camel}

    as_of: float
    keep_seconds: float
    accounts: dict[str, list[str]]


class Revocations:
    """`fetch` returns what has been revoked since a time, and may raise Problem."""

    def __init__(
        self, fetch: Callable[[float], Any], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._as_of = 0.0
        # By the subject, the one that was told last at the end: read by many threads, changed
        # by one.
        self._roles: OrderedDict[str, tuple[frozenset[str], float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._roles)

    def roles_left(self, subject: str) -> frozenset[str] | None:
        """Of those in the subject's tokens, none for a closed account; None when all are."""
        known = self._roles.get(subject)
        return known[0] if known else None

    def run(self, stop: threading.Event) -> None:
        logged = ""
        while not stop.is_set():
            try:
                self.refresh()
                logged = ""
            except Problem as error:
                # What is known goes on; tokens are over in a while, whatever happens.
                if str(error) != logged:
                    log.info("revocations cannot be fetched: %s", error)
                logged = str(error)
            stop.wait(POLL_SECONDS)

    def refresh(self) -> None:
        try:
            answer = RevocationsAnswer.model_validate(
                self._fetch(max(0.0, self._as_of - OVERLAP_SECONDS))
            )
        except ValidationError as error:
            raise Unavailable("The revocations cannot be read.") from error
        now = self._clock()
        # The newest come first.
        for subject, roles in reversed(answer.accounts.items()):
            self._roles[subject] = frozenset(roles), now
            self._roles.move_to_end(subject)
        self._as_of = answer.as_of
        self._forget(now - answer.keep_seconds - OVERLAP_SECONDS)

    def _forget(self, before: float) -> None:
        while self._roles:
            subject, (_, told_at) = next(iter(self._roles.items()))
            if told_at >= before and len(self._roles) <= MOST_ACCOUNTS:
                return
            del self._roles[subject]
