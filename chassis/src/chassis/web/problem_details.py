"""The one table from errors to HTTP, and their RFC 9457 documents."""

from http import HTTPStatus
from typing import Any

from chassis.core.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    HeadersTooLarge,
    Invalid,
    NotFound,
    NotSentInTime,
    Problem,
    RateLimited,
    TargetTooLong,
    TimedOut,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnsupportedMedia,
)

CONTENT_TYPE = "application/problem+json"

# The nearest ancestor in the table decides, so a new subclass needs no line here.
STATUS: dict[type[Problem], int] = {
    Problem: 500,
    BadRequest: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    HeadersTooLarge: 431,
    TargetTooLong: 414,
    NotSentInTime: 408,
    UnsupportedMedia: 415,
    Invalid: 422,
    RateLimited: 429,
    Unavailable: 503,
    TimedOut: 504,
}


def status_of(problem: Problem) -> int:
    return next(STATUS[kind] for kind in type(problem).__mro__ if kind in STATUS)


def document(problem: Problem, trace_id: str | None) -> dict[str, Any]:
    """The `application/problem+json` members of `problem`."""
    return render(
        status_of(problem),
        problem.code,
        problem.detail,
        trace_id,
        **({"errors": list(problem.errors)} if problem.errors else {}),
        **problem.members,
    )


def headers(problem: Problem) -> dict[str, str]:
    """The headers that go with `problem`: WWW-Authenticate with 401, Retry-After where known."""
    fields = {}
    if isinstance(problem, Unauthenticated):
        fields["WWW-Authenticate"] = "Bearer"
    if problem.retry_after is not None:
        fields["Retry-After"] = str(problem.retry_after)
    return fields


def render(
    status: int, code: str, detail: str, trace_id: str | None, **members: Any
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": f"urn:fusebox:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **members,
    }
    if trace_id:
        document["traceId"] = trace_id
    return document
