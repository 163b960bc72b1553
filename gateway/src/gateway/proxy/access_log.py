"""One line for each request, for who wants to read them; its trace is in Zipkin under its id."""

import logging

from gateway.http.messages import Request

log = logging.getLogger(__name__)


def tell(request: Request, status: int, seconds: float) -> None:
    """Without the query, in which secrets are sent."""
    log.info(
        '%s "%s %s HTTP/%s" %d %.1f ms %s',
        *(request.remote, request.method, request.path, request.version),
        *(status, seconds * 1000, request.trace_id),
    )


def tell_unreadable(status: int, trace_id: str) -> None:
    log.info('- "-" %d - %s', status, trace_id)
