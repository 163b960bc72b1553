"""What the command line shows of itself: an admin's token, and the assertion that it is `ops`.

Both are short-lived and signed with the stack's own keys, as user-service and the services sign.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

from fusebox.core.secrets import SIGNING_KEY, public_key, secret
from fusebox.core.stack import Stack
from fusebox.core.topology import OPS_NAME, Part, identity_key

ALGORITHM = "ES256"
LIFETIME_SECONDS = 60
ASSERTION_HEADER = "Service-Assertion"
ASSERTION_TYPE = "client-authentication+jwt"


def headers_for(stack: Stack, part: Part) -> dict[str, str]:
    """Only the gateway wants an admin's token, as it faces the world."""
    assertion = assertion_for(stack, part.name)
    token = token_for(stack) if part.name == "gateway" else ""
    headers = {ASSERTION_HEADER: assertion} if assertion else {}
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


def token_for(stack: Stack) -> str:
    """Empty when the stack has no key yet."""
    claims = {"iss": "fusebox", "aud": "fusebox-services", "sub": "fusebox", "roles": ["admin"]}
    return _signed(stack, SIGNING_KEY, claims, "JWT")


def assertion_for(stack: Stack, called: str) -> str:
    """Who calls `called`; empty when the stack has no key yet."""
    claims = {"iss": OPS_NAME, "sub": OPS_NAME, "aud": called}
    return _signed(stack, identity_key(OPS_NAME), claims, ASSERTION_TYPE)


def _signed(stack: Stack, key: str, claims: dict[str, Any], kind: str) -> str:
    import jwt

    if not (stack.secrets / key).exists():
        return ""
    pem, now = secret(stack, key), int(time.time())
    times = {"iat": now, "exp": now + LIFETIME_SECONDS, "jti": secrets.token_urlsafe(12)}
    head = {"kid": public_key(pem)["kid"], "typ": kind}
    return jwt.encode({**claims, **times}, pem, algorithm=ALGORITHM, headers=head)
