"""The secrets of a stack, made at its first start and never shown."""

from __future__ import annotations

import secrets

from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import secret_readers

SIGNING_KEY = "token-signing-key.pem"
# Beside it while keys are rotated: the one that signs next, and those that have signed.
NEXT_KEY = "token-signing-key.next.pem"
RETIRED_KEYS = "token-retired-keys.json"
NAMES = tuple(sorted({name for names in secret_readers().values() for name in names}))


def make_missing(stack: Stack) -> None:
    for name in NAMES:
        if not (stack.secrets / name).exists():
            write_whole(stack.secrets / name, new(name))


def new(name: str) -> bytes:
    return _new_signing_key() if name == SIGNING_KEY else secrets.token_urlsafe(24).encode()


def secret(stack: Stack, name: str) -> str:
    return (stack.secrets / name).read_text().strip()


def _new_signing_key() -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
