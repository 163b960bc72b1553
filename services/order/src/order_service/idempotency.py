"""`Idempotency-Key` (IETF draft): a request that comes again has no second effect.

The key is claimed before the work and settled in the work's own transaction, so an order without
its remembered key cannot be.  A request that was refused releases its key: nothing was done, and
the next attempt may fare better.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, and_, delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, sessionmaker

from chassis.core.errors import Conflict, Invalid
from order_service.models import IdempotencyKey

LONGEST_KEY = 255
# A claim this old belongs to a process that died over it: the gateway gives a request ten seconds.
ABANDONED = timedelta(seconds=12)


class Replay(Exception):
    """The request has had its effect before, on this order, while `degraded` were away."""

    def __init__(self, order_id: UUID, degraded: Sequence[str]) -> None:
        super().__init__(f"order {order_id} is of an earlier request with this key")
        self.order_id = order_id
        self.degraded = list(degraded)


@dataclass(frozen=True)
class Claim:
    """The right to work under a key, as long as nobody has taken it over."""

    user_id: UUID
    key: str
    claimed_at: datetime

    def settle(self, session: Session, order_id: UUID, degraded: Sequence[str] = ()) -> None:
        """Remember the effect in the transaction of `session`.

        Raises Conflict `idempotency-in-progress`, and so undoes the transaction, when the claim
        was abandoned for so long that another request has taken it over.
        """
        settled: CursorResult[Any] = session.execute(  # type: ignore[assignment]
            update(IdempotencyKey)
            .where(self.is_open())
            .values(order_id=order_id, degraded=list(degraded) or None)
            .execution_options(synchronize_session=False)
        )
        if settled.rowcount != 1:
            raise in_progress()

    def is_open(self) -> Any:
        return and_(
            IdempotencyKey.user_id == self.user_id,
            IdempotencyKey.key == self.key,
            IdempotencyKey.claimed_at == self.claimed_at,
            _unsettled(),
        )


class IdempotencyKeys:
    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    @contextmanager
    def claimed(
        self, user_id: UUID, key: str | None, request: str, *legacy: str
    ) -> Iterator[Claim | None]:
        """Work under `key`, or without one.

        `request` is what makes two requests the same, in the form that is kept from now on;
        `legacy` are the forms in which older rows may hold it.
        Raises Replay, Conflict `idempotency-in-progress`, or Invalid `idempotency-key-reused`.
        """
        if key is None:
            yield None
            return
        if not 1 <= len(key) <= LONGEST_KEY:
            raise Invalid(f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.")
        claim = self._claim(user_id, key, [_hash(form) for form in (request, *legacy)])
        try:
            yield claim
        except BaseException:
            self._release(claim)
            raise

    def _claim(self, user_id: UUID, key: str, fingerprints: list[str]) -> Claim:
        row = IdempotencyKey
        statement = insert(row).values(user_id=user_id, key=key, fingerprint=fingerprints[0])
        statement = statement.on_conflict_do_update(
            index_elements=[row.user_id, row.key],
            set_={"claimed_at": func.now()},
            where=and_(
                _unsettled(),
                row.fingerprint.in_(fingerprints),
                row.claimed_at < func.now() - ABANDONED,
            ),
        )
        with self._sessions.begin() as session:
            claimed_at = session.scalar(statement.returning(row.claimed_at))
            if claimed_at is not None:
                return Claim(user_id, key, claimed_at)
            known = session.get(row, (user_id, key))
        if known is None:
            raise in_progress()
        if known.fingerprint not in fingerprints:
            raise Invalid("This key was used for another request.", code="idempotency-key-reused")
        raise _outcome(known)

    def _release(self, claim: Claim) -> None:
        with self._sessions.begin() as session:
            session.execute(
                delete(IdempotencyKey)
                .where(claim.is_open())
                .execution_options(synchronize_session=False)
            )


def in_progress() -> Conflict:
    return Conflict(
        "The first request with this key is still under way.",
        code="idempotency-in-progress",
        retry_after=1,
    )


def _outcome(known: IdempotencyKey) -> Exception:
    if known.order_id is not None:
        return Replay(known.order_id, known.degraded or [])
    if known.answer is not None:
        return Replay(UUID(known.answer["orderId"]), known.answer.get("degraded", []))
    return in_progress()


def _unsettled() -> Any:
    return and_(IdempotencyKey.order_id.is_(None), IdempotencyKey.answer.is_(None))


def _hash(request: str) -> str:
    return hashlib.sha256(request.encode()).hexdigest()
