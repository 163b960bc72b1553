"""The admin's session: a signed cookie, and with it a token that hands have to show.

Nothing is kept here: the key of the signatures is made of the admin's password, so a session ends
when that changes, and outlives a restart.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections import deque
from collections.abc import Callable

from chassis.core.errors import Forbidden, RateLimited, Unauthenticated, Unavailable

COOKIE = "fusebox-panel"
LIFETIME_SECONDS = 12 * 3600
# So many wrong passwords a minute, from all together: nobody guesses one of 24 random bytes.
MOST_FAILURES = 10
FAILURE_SECONDS = 60.0


class AdminSession:
    """`password` reads the admin's; it raises OSError when there is none yet."""

    def __init__(self, password: Callable[[], str], clock: Callable[[], float] = time.time) -> None:
        self._password = password
        self._clock = clock
        self._failures: deque[float] = deque(maxlen=MOST_FAILURES)

    def begin(self, password: str) -> str:
        """The value of the cookie.  Raises Unauthenticated for another password."""
        now = self._clock()
        if len(self._failures) == MOST_FAILURES and self._failures[0] > now - FAILURE_SECONDS:
            raise RateLimited(
                "Too many wrong passwords: try again later.",
                retry_after=max(1, round(self._failures[0] + FAILURE_SECONDS - now)),
            )
        try:
            own = self._password()
        except OSError as error:
            raise Unavailable("The admin's password is not there yet.") from error
        if not hmac.compare_digest(password.encode(), own.encode()):
            self._failures.append(now)
            raise Unauthenticated("The password is wrong.", code="wrong-password")
        content = f"{int(now) + LIFETIME_SECONDS}.{secrets.token_urlsafe(16)}"
        return f"{content}.{self._signed('session', content)}"

    def csrf_token(self, cookie: str | None) -> str | None:
        """The token of the session that `cookie` is of; None when it is of none, or over."""
        content, _, signature = (cookie or "").rpartition(".")
        end, _, _ = content.partition(".")
        try:
            if not hmac.compare_digest(
                signature.encode(), self._signed("session", content).encode()
            ):
                return None
        except OSError:
            return None
        return self._signed("csrf", content) if int(end) > self._clock() else None

    def require(self, cookie: str | None, token: str | None) -> None:
        """Pass silently with a session and its token; raises Unauthenticated or Forbidden."""
        expected = self.csrf_token(cookie)
        if expected is None:
            raise Unauthenticated("Sign in with the admin's password first.", code="not-signed-in")
        if not hmac.compare_digest((token or "").encode(), expected.encode()):
            raise Forbidden("The header X-CSRF-Token is not the session's.", code="csrf")

    def _signed(self, purpose: str, content: str) -> str:
        key = hashlib.sha256(f"fusebox panel {purpose}\0{self._password()}".encode()).digest()
        return urlsafe_b64encode(hmac.digest(key, content.encode(), "sha256")).decode().rstrip("=")
