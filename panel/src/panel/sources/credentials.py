"""What the panel shows those whom it asks: that it is the command line, as that does itself."""

from __future__ import annotations

import time
from collections.abc import Mapping

from fusebox.core.stack import Stack
from fusebox.core.topology import BY_NAME
from fusebox.runtime.credentials import LIFETIME_SECONDS, headers_for
from panel.sources.actuators import Credentials


def credentials(stack: Stack) -> Credentials:
    """They are signed anew when half of their time is over."""
    signed: dict[str, tuple[float, Mapping[str, str]]] = {}

    def of(part: str) -> Mapping[str, str]:
        if part not in BY_NAME or not BY_NAME[part].is_ours:
            return {}
        known = signed.get(part)
        if known is None or time.monotonic() > known[0]:
            renewed_at = time.monotonic() + LIFETIME_SECONDS / 2
            known = signed[part] = renewed_at, headers_for(stack, BY_NAME[part])
        return known[1]

    return of
