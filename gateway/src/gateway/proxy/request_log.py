"""Which of the gateway's requests have a line in the access log, and what it says."""

from collections.abc import Callable
from time import monotonic

from chassis.observability.access_log import AccessLog, AnsweredRequest
from chassis.observability.tracing import TraceContext
from gateway.routing.exchange import Exchange


class RequestLog:
    """`takes_all` says whether every request has a line, whatever the access log's own rule is."""

    def __init__(self, access_log: AccessLog, takes_all: Callable[[], bool]) -> None:
        self._access_log = access_log
        self._takes_all = takes_all

    def answered(self, exchange: Exchange, status: int, context: TraceContext) -> None:
        if self._takes(status, context):
            request = exchange.request
            self._access_log.write(
                AnsweredRequest(
                    method=request.method,
                    route=exchange.route.template,
                    path=request.path,
                    status=status,
                    seconds=monotonic() - request.came,
                    client=request.remote,
                    context=context,
                    user=exchange.view.user or "",
                )
            )

    def unreadable(self, status: int, context: TraceContext) -> None:
        if self._takes(status, context):
            self._access_log.write(AnsweredRequest("-", "-", "-", status, 0.0, "", context))

    def _takes(self, status: int, context: TraceContext) -> bool:
        return self._takes_all() or self._access_log.takes(status, context.is_sampled)
