"""What the panel shows those whom it asks: to the gateway, which faces the world, a token."""

from __future__ import annotations

import time
from collections.abc import Mapping

from fusebox.core.stack import Stack
from fusebox.runtime.admin_token import LIFETIME_SECONDS, token_for
from panel.sources.actuators import Credentials

GATEWAY = "gateway"


def credentials(stack: Stack) -> Credentials:
    """A token is signed anew when half of its time is over."""
    signed_at, headers = float("-inf"), dict[str, str]()

    def of(part: str) -> Mapping[str, str]:
        nonlocal signed_at, headers
        if part != GATEWAY:
            return {}
        if time.monotonic() > signed_at + LIFETIME_SECONDS / 2:
            signed_at = time.monotonic()
            headers = {"Authorization": f"Bearer {token_for(stack)}"}
        return headers

    return of
