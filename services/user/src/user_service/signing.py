"""The keys that sign tokens, and their public halves for everybody who checks them.

A key comes and goes in three steps, so that no token is ever checked without its key: as `next` it
is published and signs nothing; as the signing key it signs; when retired it is published until the
tokens that it has signed are over.  `make rotate-keys` takes the steps, by files.
"""

import json
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

from chassis.core.secrecy import remember
from chassis.identity.keys import thumbprint
from chassis.web.auth import ALGORITHM, AUDIENCE, ISSUER
from user_service.models import User
from user_service.settings import MARGIN_SECONDS

log = logging.getLogger(__name__)

CURRENT = "token-signing-key.pem"
NEXT = "token-signing-key.next.pem"
RETIRED = "token-retired-keys.json"


@dataclass(frozen=True)
class AccessToken:
    text: str
    lifetime: int


class SigningKey:
    """Raises ValueError for a key of another kind."""

    def __init__(self, pem: str) -> None:
        key = load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ValueError(f"the signing key is none for {ALGORITHM}")
        self.private = key
        public: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        self.id = thumbprint(public)
        self.public = _published(public, self.id)


@dataclass(frozen=True)
class KeySnapshot:
    """`others` are published beside the signing key; `until` is when that has an end."""

    signing: SigningKey
    others: list[tuple[dict[str, Any], float | None]]

    def published(self, retired_since: float) -> list[dict[str, Any]]:
        """The signing key first; of the retired those that are so since `retired_since`."""
        keys = {self.signing.id: self.signing.public}
        for public, retired_at in self.others:
            if retired_at is None or retired_at > retired_since:
                keys.setdefault(public["kid"], public)
        return list(keys.values())


class SigningKeys:
    """Those in `folder`, read again when a file has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps = self._files()
        self._snapshot = self._read()

    def snapshot(self) -> KeySnapshot:
        """As the files are now: to look costs microseconds, and a login a thousand times that.

        What cannot be read changes nothing: the keys that are known stay good.
        """
        try:
            stamps = self._files()
            if stamps != self._stamps:
                self._snapshot = self._read()
                self._stamps = stamps
        except (OSError, ValueError, TypeError, KeyError) as error:
            log.warning("the signing keys cannot be read, and stay as they are: %s", error)
        return self._snapshot

    def _files(self) -> list[tuple[int, int] | None]:
        return [_stamp(self._folder / name) for name in (CURRENT, NEXT, RETIRED)]

    def _read(self) -> KeySnapshot:
        signing = SigningKey(remember((self._folder / CURRENT).read_text()))
        others: list[tuple[dict[str, Any], float | None]] = []
        if upcoming := _text(self._folder / NEXT):
            others.append((SigningKey(upcoming).public, None))
        for key in json.loads(_text(self._folder / RETIRED) or "[]"):
            public = {name: str(key[name]) for name in ("kty", "crv", "x", "y")}
            others.append((_published(public, thumbprint(public)), float(key["retiredAt"])))
        return KeySnapshot(signing, others)


class Signer:
    """`lifetime` (seconds) is asked at each token, so that a change applies at once."""

    def __init__(self, keys: SigningKeys, lifetime: Callable[[], int]) -> None:
        self._keys = keys
        self._lifetime = lifetime

    def jwks(self) -> dict[str, Any]:
        tokens_since = time.time() - self._lifetime() - MARGIN_SECONDS
        return {"keys": self._keys.snapshot().published(tokens_since)}

    def token_for(self, user: User, session_id: UUID) -> AccessToken:
        now, lifetime = int(time.time()), self._lifetime()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user.user_id),
            "sid": str(session_id),
            "roles": user.roles,
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_urlsafe(12),
        }
        key = self._keys.snapshot().signing
        text = jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.id})
        return AccessToken(text, lifetime)


def _published(public: dict[str, Any], key_id: str) -> dict[str, Any]:
    return {**public, "kid": key_id, "use": "sig", "alg": ALGORITHM}


def _stamp(file: Path) -> tuple[int, int] | None:
    try:
        status = file.stat()
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


def _text(file: Path) -> str:
    """Empty when there is none."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""
