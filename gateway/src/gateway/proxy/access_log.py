"""One line for each request, for who wants to read them; its trace is in Zipkin under its id."""

import logging

from gateway.http.messages import Request

# A name of its own, so that its level is set without naming a module.
log = logging.getLogger("gateway.access")


def record(request: Request, status: int, seconds: float) -> None:
    """Without the query, in which secrets are sent."""
    log.info(
        '%s "%s %s HTTP/%s" %d %.1f ms %s',
        *(request.remote, request.method, request.path, request.version),
        *(status, seconds * 1000, request.trace_id),
    )


def record_unreadable(status: int, trace_id: str) -> None:
    log.info('- "-" %d - %s', status, trace_id)
