"""Checks signed tokens against the public keys that their issuer publishes."""

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import jwt

from chassis.core.errors import (
    InsufficientScope,
    InvalidToken,
    Problem,
    Unauthenticated,
    Unavailable,
)
from chassis.web.revocations import Revocations

log = logging.getLogger(__name__)

ALGORITHM = "ES256"
ISSUER = "fusebox"
AUDIENCE = "fusebox-services"
# Without one of these a token is none of ours, whoever has signed it.
REQUIRED = ["exp", "iat", "sub", "iss", "aud"]
REMEMBERED = 10_000
# RFC 6750, 2.1, and RFC 9110, 11.4: one space at the least, and nothing behind the token.
CREDENTIALS = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE)
RETRY_SECONDS = 0.2
# So soon a key is known that is to sign next, or is no longer good.
REFRESH_SECONDS = 5.0
# However many tokens with unknown keys come in, they are fetched once a second at most.
LEAST_PAUSE = 1.0


@dataclass(frozen=True)
class Caller:
    """The subject of a verified token."""

    subject: str
    roles: frozenset[str]
    expires: float
    session: str = ""

    @property
    def is_admin(self) -> bool:
        return "admin" in self.roles

    def require_admin(self) -> None:
        if not self.is_admin:
            raise InsufficientScope("Only an admin may do this.")

    def id(self) -> UUID:
        """The id of the caller's account; InvalidToken when the token names none."""
        try:
            return UUID(self.subject)
        except ValueError as error:
            raise InvalidToken("The token names no account.") from error


@dataclass(frozen=True)
class KeySet:
    """The public keys by their ids, and the tokens that they have verified.

    One with other keys begins with none: a token is good no longer than its key is published.
    """

    by_id: dict[str, jwt.PyJWK]
    verified: OrderedDict[str, Caller] = field(default_factory=OrderedDict)


class TokenVerifier:
    """`caller_of` checks a token; `keep_keys` is the thread that fetches the keys.

    `fetch` returns the issuer's JWKS document and may raise Problem.  `revocations` say whose
    tokens are not to be believed any more; the issuer itself looks into its database instead.
    """

    def __init__(
        self, fetch: Callable[[], dict[str, object]], revocations: Revocations | None = None
    ) -> None:
        self._fetch = fetch
        self._revocations = revocations
        self._document: dict[str, object] = {}
        self._key_set = KeySet({})
        self._lock = threading.Lock()
        self._unknown_key = threading.Event()

    @property
    def keys(self) -> int:
        """How many public keys are known; none until the issuer has answered once."""
        return len(self._key_set.by_id)

    @property
    def key_ids(self) -> list[str]:
        return sorted(self._key_set.by_id)

    def keep_keys(self, stop: threading.Event) -> None:
        logged = ""
        while not stop.is_set():
            try:
                self.refresh()
                pause = REFRESH_SECONDS
            except (Problem, jwt.PyJWTError) as error:
                if str(error) != logged:
                    log.info("the public keys cannot be fetched: %s", error)
                logged = str(error)
                pause = REFRESH_SECONDS if self.keys else RETRY_SECONDS
            self._pause(stop, pause)

    def refresh(self) -> None:
        document = self._fetch()
        if document != self._document:
            keys = jwt.PyJWKSet.from_dict(document).keys
            self._key_set = KeySet({key.key_id: key for key in keys if key.key_id})
            self._document = document

    def caller_of(self, authorization: str | None) -> Caller:
        """The caller named by an Authorization header.

        Raises Unauthenticated without a token, InvalidToken with any but a good one, and
        Unavailable while no key is known.
        """
        text, key_set = authorization or "", self._key_set
        # By all of the header, for finding the token in it costs more than looking it up.
        known = key_set.verified.get(text)
        if known is None:
            known = self._verify(_token(text), key_set)
            self._remember(text, known, key_set)
        if known.expires <= time.time():
            raise _expired()
        return self._as_of_now(known) if self._revocations else known

    def _as_of_now(self, caller: Caller) -> Caller:
        assert self._revocations is not None
        left = self._revocations.roles_left(caller.subject)
        if left is None:
            return caller
        if not left:
            raise InvalidToken("The account of this token has been deleted.")
        return replace(caller, roles=caller.roles & left)

    def _verify(self, token: str, key_set: KeySet) -> Caller:
        try:
            claims = jwt.decode(
                token,
                self._key_for(token, key_set),
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": REQUIRED},
            )
        except jwt.ExpiredSignatureError as error:
            raise _expired() from error
        # RecursionError: its JSON is nested deeply.
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise InvalidToken("The token is not valid: log in again.") from error
        return Caller(
            claims["sub"], _roles(claims), float(claims["exp"]), str(claims.get("sid", ""))
        )

    def _key_for(self, token: str, key_set: KeySet) -> jwt.PyJWK:
        if not key_set.by_id:
            raise Unavailable("Tokens cannot be checked yet: user-service gave no public keys.")
        key = key_set.by_id.get(str(jwt.get_unverified_header(token).get("kid")))
        if key is None:
            self._unknown_key.set()
            raise InvalidToken("The token was signed with an unknown key: log in again.")
        return key

    def _remember(self, token: str, caller: Caller, key_set: KeySet) -> None:
        with self._lock:
            key_set.verified[token] = caller
            if len(key_set.verified) > REMEMBERED:
                key_set.verified.popitem(last=False)

    def _pause(self, stop: threading.Event, seconds: float) -> None:
        """Until `stop`, a token with an unknown key, or the time is over; a second at the least."""
        until = time.monotonic() + seconds
        stop.wait(min(LEAST_PAUSE, seconds))
        while not stop.is_set() and not self._unknown_key.is_set() and time.monotonic() < until:
            stop.wait(0.5)
        self._unknown_key.clear()


def _roles(claims: dict[str, Any]) -> frozenset[str]:
    """Of what is no list of names, none."""
    roles = claims.get("roles")
    return (
        frozenset(role for role in roles if isinstance(role, str))
        if isinstance(roles, list)
        else frozenset()
    )


def _token(authorization: str) -> str:
    if match := CREDENTIALS.fullmatch(authorization.strip(" \t")):
        return match[1]
    scheme = authorization.split(maxsplit=1)[:1]
    if scheme and scheme[0].lower() == "bearer":
        raise InvalidToken("The token is not valid: send `Authorization: Bearer <accessToken>`.")
    raise Unauthenticated("A token is required: send `Authorization: Bearer <accessToken>`.")


def _expired() -> InvalidToken:
    return InvalidToken("The token has expired: log in again.", code="token-expired")
