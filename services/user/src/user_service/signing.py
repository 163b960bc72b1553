"""The key that signs tokens, and its public half for everybody who checks them."""

import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm

from chassis.web.auth import ALGORITHM, AUDIENCE, ISSUER
from user_service.models import User


@dataclass(frozen=True)
class AccessToken:
    text: str
    lifetime: int


class Signer:
    """`lifetime` (seconds) is asked at each token, so that a change applies at once."""

    def __init__(self, pem: str, lifetime: Callable[[], int]) -> None:
        key = load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ValueError(f"the signing key is none for {ALGORITHM}")
        self._key = key
        self._lifetime = lifetime
        self._public = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
        self._id = _thumbprint(self._public)

    def jwks(self) -> dict[str, Any]:
        return {"keys": [{**self._public, "kid": self._id, "use": "sig", "alg": ALGORITHM}]}

    def token_for(self, user: User, session_id: UUID) -> AccessToken:
        now, lifetime = int(time.time()), self._lifetime()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user.user_id),
            "sid": str(session_id),
            "roles": [user.role],
            "iat": now,
            "exp": now + lifetime,
            "jti": secrets.token_urlsafe(12),
        }
        text = jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": self._id})
        return AccessToken(text, lifetime)


def _thumbprint(public: dict[str, Any]) -> str:
    """RFC 7638: the hash of the required members in their order, without white space."""
    required = {name: public[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
