"""A short-lived admin token, signed with the stack's own key as user-service does it."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any

from fusebox.core.secrets import SIGNING_KEY, secret
from fusebox.core.stack import Stack

ALGORITHM = "ES256"
LIFETIME_SECONDS = 60


def token_for(stack: Stack) -> str:
    """Empty when the stack has no key yet."""
    key = stack.secrets / SIGNING_KEY
    return _signed(secret(stack, SIGNING_KEY)) if key.exists() else ""


def _signed(pem: str) -> str:
    import jwt

    now = int(time.time())
    claims = {
        "iss": "fusebox",
        "aud": "fusebox-services",
        "sub": "fusebox",
        "roles": ["admin"],
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode(claims, pem, algorithm=ALGORITHM, headers={"kid": public_key(pem)["kid"]})


@lru_cache(maxsize=2)
def public_key(pem: str) -> dict[str, Any]:
    """The public half as a JWK; its `kid` is its thumbprint (RFC 7638)."""
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    from jwt.algorithms import ECAlgorithm

    key = load_pem_private_key(pem.encode(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)  # `make up` makes no other
    public: dict[str, Any] = ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
    required = {name: public[name] for name in ("crv", "kty", "x", "y")}
    digest = hashlib.sha256(json.dumps(required, separators=(",", ":")).encode()).digest()
    return {**required, "kid": urlsafe_b64encode(digest).rstrip(b"=").decode()}
