"""The access log: a line for requests whose trace is recorded, and for every one that failed.

So many a second are enough to see what is asked, and heartbeats and polls, which ask not to be
traced, are not among them.  ECS has the names of its fields; the query, in which secrets are sent,
is none of them.
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

from chassis.core.live import Live
from chassis.observability.logging import of_trace
from chassis.observability.sampling import Reservoir
from chassis.observability.tracing import TraceContext

# A name of its own, so that its level is set without naming a module.
log = logging.getLogger("access")


class AnsweredRequest(NamedTuple):
    """A request that was answered: `route` is its template, `seconds` how long it took.

    `user` is the id in a token that was found good, and empty without one.
    """

    method: str
    route: str
    path: str
    status: int
    seconds: float
    client: str
    context: TraceContext | None
    user: str = ""

    def fields(self) -> dict[str, str | int]:
        fields: dict[str, str | int] = {
            "event.action": "request",
            "event.duration": int(self.seconds * 1e9),  # in nanoseconds, says ECS
            "http.request.method": self.method,
            "http.route": self.route,
            "http.response.status_code": self.status,
            "url.path": self.path,
            "client.address": self.client,
            **of_trace(self.context),
        }
        return fields | {"user.id": self.user} if self.user else fields


class AccessLog:
    """`rate` is in lines a second for traced requests that did not fail, None for all of them."""

    def __init__(
        self, rate: Live[float | None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._lines = Reservoir(clock)

    def takes(self, status: int, is_traced: bool) -> bool:
        """Whether a request that was answered with `status` gets a line: ask before making one."""
        if status >= 500:
            return True
        rate = self._rate.value
        return is_traced and (rate is None or self._lines.takes_one(rate))

    def write(self, access: AnsweredRequest) -> None:
        level = logging.WARNING if access.status >= 500 else logging.INFO
        log.log(
            level,
            "%s %s %d, %.1f ms",
            *(access.method, access.path, access.status, access.seconds * 1000),
            extra=access.fields(),
        )
