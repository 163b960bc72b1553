"""Every error of a Flask application in one form: RFC 9457's problem, and the span's reason."""

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException

from chassis.core.errors import Problem, Unavailable, first_line
from chassis.observability import tracing
from chassis.web import problem_details

log = logging.getLogger(__name__)

CODES = {
    400: "malformed-request",
    404: "not-found",
    405: "method-not-allowed",
    413: "body-too-large",
    414: "uri-too-long",
    415: "unsupported-media-type",
    431: "headers-too-large",
}


def add(
    app: Flask,
    is_outage: Callable[[Exception], bool],
    on_problem: Callable[[Problem], None],
) -> None:
    """Answer whatever a view raises; `on_problem` is told of each Problem before its answer."""

    @app.errorhandler(Problem)
    def problem(error: Problem) -> Response:
        on_problem(error)
        document = problem_details.document(error, trace_id())
        if document["status"] == problem_details.INTERNAL_ERROR:
            log.error("%s %s: %s", request.method, request.path, error.detail)
        if document["status"] >= 500:
            _tell_of(error, first_line(error))
        return _respond(document, problem_details.headers(error))

    @app.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response:
        status = error.code or 500
        headers = {
            key: value
            for key, value in error.get_headers()
            if key.lower() not in ("content-type", "content-length")
        }
        detail = error.description or "The request was refused."
        return _respond(
            problem_details.render(status, CODES.get(status, "refused"), detail, trace_id()),
            headers,
        )

    @app.errorhandler(Exception)
    def broken(error: Exception) -> Response:
        if is_outage(error):
            return _outage(error)
        log.exception("unexpected error at %s %s", request.method, request.path)
        # The type alone: what such an error says may be anybody's data.
        _tell_of(error, type(error).__name__)
        detail = "An unexpected error; it is in the log under this trace id."
        return _respond(problem_details.render(500, "internal-error", detail, trace_id()), {})


def _tell_of(error: Exception, reason: str) -> None:
    if "span" in g:
        g.failure = error
        g.span.fail_with(error, reason)


def _outage(error: Exception) -> Response:
    log.warning("a part that is needed is unavailable: %s", type(error).__name__)
    _tell_of(error, type(error).__name__)
    problem = Unavailable(
        "A part that this needs is unavailable for the moment. Try again, with the same "
        "Idempotency-Key if you sent one."
    )
    return _respond(problem_details.document(problem, trace_id()), problem_details.headers(problem))


def _respond(document: dict[str, Any], headers: dict[str, str]) -> Response:
    response = jsonify(document)
    response.status_code = document["status"]
    response.content_type = problem_details.CONTENT_TYPE
    response.headers.extend(headers)
    return response


def trace_id() -> str | None:
    attrs = tracing.current()
    return attrs.trace_id if attrs else None
