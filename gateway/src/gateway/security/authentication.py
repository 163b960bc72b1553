"""Who may pass: tokens are checked here first, and a service's inner pages are for admins."""

import re
from collections.abc import Awaitable
from functools import lru_cache
from typing import Any

from chassis.core.errors import Problem
from chassis.runtime.service import Process
from chassis.web.auth import TokenVerifier
from gateway.http.messages import Request, authorization
from gateway.routing.exchange import Exchange, GatewayResponse, Handler
from gateway.security.audit import AuditReports
from gateway.security.path_spellings import mentions, spellings

READING = ("GET", "HEAD")
INNER = "actuator"
PUBLIC = frozenset(
    (
        "/actuator/health",
        "/actuator/health/liveness",
        "/actuator/health/readiness",
        "/actuator/info",
    )
)


@lru_cache(maxsize=4096)
def is_inner(path: str) -> bool:
    """True for a page of the actuator that is not public, however it is spelled."""
    if path in PUBLIC or not mentions(path, INNER):
        return False
    return any(_first_segment(spelling) == INNER for spelling in spellings(path))


def _first_segment(path: str) -> str:
    # One that was encoded twice may have the query's mark in it.
    return re.split("[/?#]", path.lstrip("/"), maxsplit=1)[0].lower()


class Authentication:
    def __init__(self, tokens: TokenVerifier, audit: AuditReports) -> None:
        self._tokens = tokens
        self._audit = audit

    @classmethod
    def of(cls, process: Process[Any], tokens: TokenVerifier) -> "Authentication":
        """With reports to the audit trail, from the start of `process` on."""
        settings = process.live.map(lambda settings: settings.fusebox.audit)
        audit = AuditReports(process.background_client("user-service"), settings)
        # The last that is started is the first to stop, and leaves what it has to the other.
        process.workers.add("audit", audit.run)
        process.workers.add("refusals", audit.refusals.run)
        return cls(tokens, audit)

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
        caller = None
        try:
            if is_inner(path) or (path in PUBLIC and request.method not in READING):
                caller = self._tokens.caller_of(token)
                caller.require_admin()
                if request.method not in READING:
                    self._audit.let_through(request, caller.subject)
            elif token is not None and self._tokens.keys:
                # Without keys the service decides: it checks each token for itself in any case.
                self._tokens.caller_of(token)
        except Problem as problem:
            actor = caller.subject if caller else None
            self._audit.refused(request, problem, actor)
            raise
