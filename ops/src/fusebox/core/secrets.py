"""The secrets of a stack, made at its first start and never shown."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import (
    IDENTITIES,
    SERVICE_KEYS,
    callable_by,
    identity_key,
    secret_readers,
)

SIGNING_KEY = "token-signing-key.pem"
# Beside it while keys are rotated: the one that signs next, and those that have signed.
NEXT_KEY = "token-signing-key.next.pem"
RETIRED_KEYS = "token-retired-keys.json"
PRIVATE_KEYS = (SIGNING_KEY, *map(identity_key, IDENTITIES))
# Written anew from the others at each start: a part may have come, or be called by others.
NAMES = tuple(
    sorted({name for names in secret_readers().values() for name in names} - {SERVICE_KEYS})
)


def make_missing(stack: Stack) -> None:
    for name in NAMES:
        if not (stack.secrets / name).exists():
            write_whole(stack.secrets / name, new(name))
    write_changed(stack.secrets / SERVICE_KEYS, service_keys(partial(secret, stack)))


def new(name: str) -> bytes:
    return _new_private_key() if name in PRIVATE_KEYS else secrets.token_urlsafe(24).encode()


def secret(stack: Stack, name: str) -> str:
    return (stack.secrets / name).read_text().strip()


def service_keys(content: Callable[[str], str]) -> bytes:
    """The public key of each process as a JWKS: whose it is, and whom that one may call."""
    keys = [
        {
            **public_key(content(identity_key(name))),
            "alg": "ES256",
            "use": "sig",
            "sub": name,
            "aud": callable_by(name),
        }
        for name in IDENTITIES
    ]
    return json.dumps({"keys": keys}, indent=1).encode()


def write_changed(file: Path, content: bytes, mode: int = 0o600) -> None:
    if not file.exists() or file.read_bytes() != content:
        write_whole(file, content, mode)


@lru_cache(maxsize=2 * len(PRIVATE_KEYS))
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


def _new_private_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
