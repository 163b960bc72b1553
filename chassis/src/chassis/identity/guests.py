"""The name and password of foreign applications (RFC 7617), as their Eureka and Spring clients
send it: `http://name:password@host`."""

import base64
import hmac
import logging
import time
from collections.abc import Callable

from chassis.core.environment import Environment
from chassis.core.errors import RateLimited, UnknownGuest

log = logging.getLogger(__name__)

GUEST = "guest"
# So many wrong ones at once, and then so many a second: of 192 random bits nobody guesses any,
# and the log stays readable.
BURST = 50
PER_SECOND = 2.0
RETRY_SECONDS = 1


class GuestPassword:
    """Checks an Authorization header; `realm` is the server.  With no password nobody gets in."""

    def __init__(
        self, realm: str, password: str | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._realm = realm
        self._expected = f"{GUEST}:{password}".encode() if password else None
        self._clock = clock
        self._accepted = b""
        self._tries = float(BURST)
        self._tried_at = clock()

    @classmethod
    def of(cls, environment: Environment) -> "GuestPassword":
        """By the secret file `NAME-guest-password`."""
        try:
            password = environment.secret(f"{environment.service}-guest-password")
        except FileNotFoundError:
            password = None
        return cls(environment.service, password)

    def check(self, authorization: str, remote: str) -> None:
        """Raises UnknownGuest, or RateLimited when there were too many wrong ones just now.

        Who was right before is not held up by others who are wrong.
        """
        given = authorization.encode(errors="surrogateescape")
        if self._accepted and hmac.compare_digest(given, self._accepted):
            return
        self._refill()
        if self._tries < 1:
            raise RateLimited("There were too many wrong passwords.", retry_after=RETRY_SECONDS)
        # In a time that says nothing of where the two differ.
        if self._expected is None or not hmac.compare_digest(_decoded(given), self._expected):
            self._tries -= 1
            log.warning("%s: a wrong name or password from %s", self._realm, remote)
            raise UnknownGuest("The name or the password is wrong.", self._realm)
        self._accepted = given

    def _refill(self) -> None:
        now = self._clock()
        self._tries = min(float(BURST), self._tries + (now - self._tried_at) * PER_SECOND)
        self._tried_at = now


def _decoded(authorization: bytes) -> bytes:
    """`name:password`; empty when it is another scheme, or nonsense."""
    scheme, _, encoded = authorization.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except ValueError:
        return b""
