"""Who may pass: tokens are checked here first, and a service's inner pages are for admins."""

import posixpath
import re
from collections.abc import Awaitable
from urllib.parse import unquote

from chassis.core.errors import Problem
from chassis.web.auth import TokenVerifier
from gateway.http.messages import Request
from gateway.routing.exchange import Exchange, GatewayResponse, Handler

PUBLIC = frozenset(
    (
        "/actuator/health",
        "/actuator/health/liveness",
        "/actuator/health/readiness",
        "/actuator/info",
    )
)

# What can be spelled in another way.
FOLDS = re.compile(r"%|\\|//|/\.|/$")


def is_inner(path: str) -> bool:
    """True for a page of the actuator that is not public, however it is spelled.

    A service may decode the path, or fold `//` and `..`, so all of that is done here as well.
    """
    if "%" not in path and "actuator" not in path.lower():
        return False
    return folded(path).split("/")[1].partition(";")[0].lower() == "actuator" and path not in PUBLIC


def folded(path: str) -> str:
    """`path` as a service may understand it: decoded, and without `//` and `..`."""
    if not FOLDS.search(path):
        return path
    return posixpath.normpath("/" + unquote(path).replace("\\", "/").lstrip("/"))


class Authentication:
    def __init__(self, tokens: TokenVerifier) -> None:
        self._tokens = tokens

    def user(self, authorization: str | None) -> str | None:
        """Whose token it is; None as well for one that `check` is going to refuse."""
        if authorization is None:
            return None
        try:
            return self._tokens.caller_of(authorization).subject
        except Problem:
            return None

    def filter(self, exchange: Exchange, proceed: Handler) -> Awaitable[GatewayResponse]:
        self.check(exchange.request, exchange.path)
        return proceed(exchange)

    def check(self, request: Request, path: str) -> None:
        """Pass silently, or raise Unauthenticated, Forbidden, or Unavailable without keys."""
        authorization = request.headers.get("Authorization")
        if is_inner(path) or (path in PUBLIC and request.method not in ("GET", "HEAD")):
            self._tokens.caller_of(authorization).require_admin()
        elif authorization is not None and self._tokens.keys:
            # Without keys the service decides: it checks every token for itself in any case.
            self._tokens.caller_of(authorization)
