"""`Idempotency-Key` (IETF draft): a request that comes again has no second effect.

The key is claimed before the work and settled in the work's own transaction, so an order without
its remembered key cannot be.  A request that was refused releases its key: nothing was done, and
the next attempt may fare better.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, text
from sqlalchemy.orm import Session, sessionmaker

from chassis.core.errors import Conflict, Invalid
from chassis.data.group_commit import GroupCommit
from chassis.observability.tracing import Tracer
from order_service.models import IdempotencyKey
from order_service.statements import columns

LONGEST_KEY = 255
# A claim this old belongs to a process that died over it: the gateway gives a request ten seconds.
ABANDONED = timedelta(seconds=12)
# One text each, whatever the number of keys; rows are locked in the order of their keys.
CLAIM = text("""
    INSERT INTO idempotency_keys AS known (user_id, key, fingerprint)
    SELECT user_id, key, fingerprint FROM unnest(
        CAST(:user_id AS uuid[]), CAST(:key AS text[]), CAST(:fingerprint AS text[])
    ) AS claimed (user_id, key, fingerprint)
    ORDER BY user_id, key
    ON CONFLICT (user_id, key) DO UPDATE SET claimed_at = now()
    WHERE known.order_id IS NULL AND known.answer IS NULL
    AND known.claimed_at < now() - CAST(:abandoned AS interval)
    AND (known.user_id, known.key, known.fingerprint) IN (
        SELECT * FROM unnest(
            CAST(:known_user AS uuid[]), CAST(:known_key AS text[]), CAST(:known_form AS text[])
        )
    )
    RETURNING user_id, key, claimed_at
""")
KNOWN = text("""
    SELECT * FROM idempotency_keys WHERE (user_id, key) IN (
        SELECT * FROM unnest(CAST(:user_id AS uuid[]), CAST(:key AS text[]))
    )
""")
SETTLE = text("""
    WITH settled AS (
        SELECT user_id, key, effects.order_id, effects.degraded
        FROM idempotency_keys AS known JOIN unnest(
            CAST(:user_id AS uuid[]), CAST(:key AS text[]), CAST(:claimed_at AS timestamptz[]),
            CAST(:order_id AS uuid[]), CAST(:degraded AS text[])
        ) AS effects (user_id, key, claimed_at, order_id, degraded)
        USING (user_id, key, claimed_at)
        WHERE known.order_id IS NULL AND known.answer IS NULL
        ORDER BY user_id, key FOR UPDATE OF known
    )
    UPDATE idempotency_keys AS known
    SET order_id = settled.order_id, degraded = CAST(settled.degraded AS json)
    FROM settled WHERE known.user_id = settled.user_id AND known.key = settled.key
""")
RELEASE = text("""
    WITH released AS (
        SELECT user_id, key
        FROM idempotency_keys AS known JOIN unnest(
            CAST(:user_id AS uuid[]), CAST(:key AS text[]), CAST(:claimed_at AS timestamptz[])
        ) AS claims (user_id, key, claimed_at)
        USING (user_id, key, claimed_at)
        WHERE known.order_id IS NULL AND known.answer IS NULL
        ORDER BY user_id, key FOR UPDATE OF known
    )
    DELETE FROM idempotency_keys AS known USING released
    WHERE known.user_id = released.user_id AND known.key = released.key
""")


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


def settle_all(session: Session, settled: Sequence[tuple[Claim, UUID, Sequence[str]]]) -> None:
    """Remember effects, each with who was degraded, in the transaction of `session`.

    Raises Conflict `idempotency-in-progress`, and so undoes the transaction, when one of the claims
    was abandoned for so long that another request has taken it over.
    """
    rows = [
        {
            "user_id": claim.user_id,
            "key": claim.key,
            "claimed_at": claim.claimed_at,
            "order_id": order_id,
            "degraded": json.dumps(list(degraded)) if degraded else None,
        }
        for claim, order_id, degraded in settled
    ]
    if rows:
        result: CursorResult[Any] = session.execute(SETTLE, columns(rows))  # type: ignore[assignment]
        if result.rowcount != len(rows):
            raise in_progress()


@dataclass(frozen=True)
class _Request:
    """A request that wants a key; `fingerprints` are the forms of what makes it the same again."""

    user_id: UUID
    key: str
    fingerprints: Sequence[str]

    @property
    def id(self) -> tuple[UUID, str]:
        return self.user_id, self.key


class IdempotencyKeys:
    def __init__(self, sessions: sessionmaker[Session], tracer: Tracer) -> None:
        self._sessions = sessions
        self._claims = GroupCommit[_Request, Claim]("claim keys", self._claim_all, tracer)
        self._releases = GroupCommit[Claim, None]("release keys", self._release_all, tracer)

    @contextmanager
    def claimed(
        self, user_id: UUID, key: str | None, forms: Iterable[str]
    ) -> Iterator[Claim | None]:
        """Work under `key`, or without one.

        `forms` say what makes two requests the same: the first is kept from now on, in the others
        older rows may hold it.
        Raises Replay, Conflict `idempotency-in-progress`, or Invalid `idempotency-key-reused`.
        """
        if key is None:
            yield None
            return
        if not 1 <= len(key) <= LONGEST_KEY:
            raise Invalid(f"An Idempotency-Key has 1 to {LONGEST_KEY} characters.")
        claim = self._claim(user_id, key, [_hash(form) for form in forms])
        try:
            yield claim
        except BaseException:
            self._release(claim)
            raise

    def _claim(self, user_id: UUID, key: str, fingerprints: Sequence[str]) -> Claim:
        return self._claims.submit(_Request(user_id, key, fingerprints))

    def _claim_all(self, requests: Sequence[_Request]) -> list[Claim | Exception]:
        # Of two that want the same key at the same moment, the first may have it.
        first: dict[tuple[UUID, str], _Request] = {}
        for request in requests:
            first.setdefault(request.id, request)
        with self._sessions.begin() as session:
            claims = _insert_or_take_over(session, list(first.values()))
            others = [request for request in requests if not _has(request, first, claims)]
            known = _known(session, others) if others else {}
        return [
            claims[request.id]
            if _has(request, first, claims)
            else _outcome(known.get(request.id), request)
            for request in requests
        ]

    def _release(self, claim: Claim) -> None:
        self._releases.submit(claim)

    def _release_all(self, claims: Sequence[Claim]) -> list[None]:
        rows = [vars(claim) for claim in claims]
        with self._sessions.begin() as session:
            session.execute(RELEASE, columns(rows))
        return [None] * len(claims)


def in_progress() -> Conflict:
    return Conflict(
        "The first request with this key is still under way.",
        code="idempotency-in-progress",
        retry_after=1,
    )


def key_reused() -> Invalid:
    return Invalid("This key was used for another request.", code="idempotency-key-reused")


def _has(
    request: _Request,
    first: Mapping[tuple[UUID, str], _Request],
    claims: Mapping[tuple[UUID, str], Claim],
) -> bool:
    return first[request.id] is request and request.id in claims


def _insert_or_take_over(
    session: Session, requests: Sequence[_Request]
) -> dict[tuple[UUID, str], Claim]:
    accepted = [
        {"known_user": request.user_id, "known_key": request.key, "known_form": form}
        for request in requests
        for form in request.fingerprints
    ]
    rows = [
        {"user_id": request.user_id, "key": request.key, "fingerprint": request.fingerprints[0]}
        for request in requests
    ]
    values = columns(rows) | columns(accepted) | {"abandoned": ABANDONED}
    return {
        (row.user_id, row.key): Claim(row.user_id, row.key, row.claimed_at)
        for row in session.execute(CLAIM, values)
    }


def _known(
    session: Session, requests: Sequence[_Request]
) -> dict[tuple[UUID, str], IdempotencyKey]:
    row = IdempotencyKey
    query = select(row).from_statement(
        KNOWN.bindparams(
            user_id=[request.user_id for request in requests],
            key=[request.key for request in requests],
        )
    )
    return {(known.user_id, known.key): known for known in session.scalars(query)}


def _outcome(known: IdempotencyKey | None, request: _Request) -> Exception:
    """What a request is answered that could not claim its key."""
    if known is None:
        return in_progress()
    if known.fingerprint not in request.fingerprints:
        return key_reused()
    if known.order_id is not None:
        return Replay(known.order_id, known.degraded or [])
    if known.answer is not None:
        return Replay(UUID(known.answer["orderId"]), known.answer.get("degraded", []))
    return in_progress()


def _hash(request: str) -> str:
    return hashlib.sha256(request.encode()).hexdigest()
