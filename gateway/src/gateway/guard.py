"""Who may pass: tokens are checked here first, and a service's inner pages are for admins."""

import posixpath
from urllib.parse import unquote

from chassis.tokens import Tokens
from gateway.transport.messages import Request

PUBLIC = frozenset(
    (
        "/actuator/health",
        "/actuator/health/liveness",
        "/actuator/health/readiness",
        "/actuator/info",
    )
)


def is_inner(path: str) -> bool:
    """True for a page of the actuator that is not public, however it is spelled.

    A service may decode the path, or fold `//` and `..`, so all of that is done here as well.
    """
    if "%" not in path and "actuator" not in path.lower():
        return False
    folded = posixpath.normpath("/" + unquote(path).replace("\\", "/").lstrip("/"))
    return folded.split("/")[1].partition(";")[0].lower() == "actuator" and path not in PUBLIC


class Guard:
    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    def check(self, request: Request, path: str) -> None:
        """Pass silently, or raise Unauthenticated, Forbidden, or Unavailable without keys."""
        authorization = request.headers.get("Authorization")
        if is_inner(path) or (path in PUBLIC and request.method not in ("GET", "HEAD")):
            self._tokens.caller_of(authorization).require_admin()
        elif authorization is not None and self._tokens.keys:
            # Without keys the service decides: it checks every token for itself in any case.
            self._tokens.caller_of(authorization)
