"""Who may pass: tokens are checked here first, and a service's inner pages are for admins."""

import re
from collections.abc import Awaitable

from chassis.core.errors import Problem
from chassis.web.auth import TokenVerifier
from gateway.http.messages import Request, authorization
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.security.path_spellings import mentions, spellings

INNER = "actuator"
PUBLIC = frozenset(
    (
        "/actuator/health",
        "/actuator/health/liveness",
        "/actuator/health/readiness",
        "/actuator/info",
    )
)


def is_inner(path: str) -> bool:
    """True for a page of the actuator that is not public, however it is spelled."""
    if path in PUBLIC or not mentions(path, INNER):
        return False
    return any(_first_segment(spelling) == INNER for spelling in spellings(path))


def _first_segment(path: str) -> str:
    # One that was encoded twice may have the query's mark in it.
    return re.split("[/?#]", path.lstrip("/"), maxsplit=1)[0].lower()


class Authentication:
    def __init__(self, tokens: TokenVerifier) -> None:
        self._tokens = tokens

    def user(self, token: str | None) -> str | None:
        """Whose token it is; None as well for one that `check` is going to refuse."""
        if token is None:
            return None
        try:
            return self._tokens.caller_of(token).subject
        except Problem:
            return None

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        self.check(exchange.request, exchange.path)
        return proceed(exchange)

    def check(self, request: Request, path: str) -> None:
        """Pass silently, or raise Unauthenticated, Forbidden, or Unavailable without keys."""
        token = request.headers.once(authorization)
        if is_inner(path) or (path in PUBLIC and request.method not in ("GET", "HEAD")):
            self._tokens.caller_of(token).require_admin()
        elif token is not None and self._tokens.keys:
            # Without keys the service decides: it checks every token for itself in any case.
            self._tokens.caller_of(token)
