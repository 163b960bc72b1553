"""`Idempotency-Key`: a request that comes again gets its first answer and has no second effect.

The key is claimed before the work and settled in the work's own transaction, so an effect without
its remembered answer cannot be.  A request that was refused gives its key back: nothing was done,
and the next attempt may fare better.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from chassis.core.errors import Conflict, Invalid
from order_service.models import IdempotencyKey

LONGEST_KEY = 255
# A claim this old belongs to a process that died over it: the gateway gives a request ten seconds.
ABANDONED = timedelta(seconds=12)


class Replay(Exception):
    """The request has been answered before: this is the answer."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("answered before")
        self.answer = answer


@dataclass(frozen=True)
class Claim:
    user_id: UUID
    key: str

    def settle(self, session: Session, answer: dict[str, Any]) -> None:
        """Remember `answer` in the transaction of `session`."""
        session.execute(update(IdempotencyKey).where(self.is_mine()).values(answer=answer))

    def is_mine(self) -> Any:
        return and_(IdempotencyKey.user_id == self.user_id, IdempotencyKey.key == self.key)


class Keys:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    @contextmanager
    def claimed(self, user_id: UUID, key: str | None, request: bytes) -> Iterator[Claim | None]:
        """Work under `key`, or without one.  `request` is what makes two requests the same.

        Raises Replay, Conflict `idempotency-in-progress`, or Invalid `idempotency-key-reused`.
        """
        if key is None:
            yield None
            return
        if not 1 <= len(key) <= LONGEST_KEY:
            raise Invalid(f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.")
        claim = Claim(user_id, key)
        self._claim(claim, hashlib.sha256(request).hexdigest())
        try:
            yield claim
        except BaseException:
            self._give_back(claim)
            raise

    def _claim(self, claim: Claim, fingerprint: str) -> None:
        statement = insert(IdempotencyKey).values(
            user_id=claim.user_id, key=claim.key, fingerprint=fingerprint
        )
        statement = statement.on_conflict_do_update(
            index_elements=[IdempotencyKey.user_id, IdempotencyKey.key],
            set_={"claimed_at": func.now()},
            where=and_(
                IdempotencyKey.answer.is_(None),
                IdempotencyKey.fingerprint == fingerprint,
                IdempotencyKey.claimed_at < func.now() - ABANDONED,
            ),
        )
        with self._sessions.begin() as session:
            if session.execute(statement.returning(IdempotencyKey.key)).first():
                return
            known = session.scalar(select(IdempotencyKey).where(claim.is_mine()))
        if known is None or (known.fingerprint == fingerprint and known.answer is None):
            raise Conflict(
                "The first request with this key is still under way.",
                code="idempotency-in-progress",
                retry_after=1,
            )
        if known.fingerprint != fingerprint:
            raise Invalid("This key was used for another request.", code="idempotency-key-reused")
        raise Replay(known.answer or {})

    def _give_back(self, claim: Claim) -> None:
        unsettled = and_(claim.is_mine(), IdempotencyKey.answer.is_(None))
        with self._sessions.begin() as session:
            session.execute(delete(IdempotencyKey).where(unsettled))

    def amend(self, claim: Claim, answer: dict[str, Any]) -> None:
        """The request waited, and what it answers in the end is this."""
        with self._sessions.begin() as session:
            claim.settle(session, answer)
