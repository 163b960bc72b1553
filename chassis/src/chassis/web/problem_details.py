"""The one table from errors to HTTP, and their RFC 9457 documents."""

import re
from http import HTTPStatus
from typing import Annotated, Any, NotRequired

from pydantic import Field

from chassis.core.errors import (
    BadRequest,
    Conflict,
    FieldError,
    Forbidden,
    HeadersTooLarge,
    InsufficientScope,
    Invalid,
    InvalidToken,
    MethodNotAllowed,
    NotCached,
    NotFound,
    NotSentInTime,
    Problem,
    RateLimited,
    TargetTooLong,
    TimedOut,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownGuest,
    UnknownService,
    UnsupportedMedia,
)
from chassis.core.secrecy import masked
from chassis.web.documents import Document

CONTENT_TYPE = "application/problem+json"
# RFC 6750, 3: what an error_description is not made of.
UNQUOTABLE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")

INTERNAL_ERROR = 500


class ProblemDocument(Document):
    """What every error says (RFC 9457); some say more, such as the `products` that are meant."""

    type: Annotated[str, Field(pattern="^urn:fusebox:problem:[a-z0-9-]+$")]
    title: str
    status: int
    detail: str
    code: Annotated[str, Field(pattern="^[a-z0-9-]+$")]
    errors: NotRequired[list[FieldError]]
    traceId: NotRequired[Annotated[str, Field(pattern="^[0-9a-f]{16,32}$")]]  # noqa: N815


# The nearest ancestor in the table decides, so a new subclass needs no line here.
STATUS: dict[type[Problem], int] = {
    Problem: 500,
    BadRequest: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    MethodNotAllowed: 405,
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
    NotCached: 504,
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
    """The headers that go with `problem`: WWW-Authenticate where a token is missing or will not
    do, Allow where a method will not, Retry-After where known."""
    fields = {}
    if isinstance(problem, Unauthenticated | InsufficientScope):
        fields["WWW-Authenticate"] = _challenge(problem)
    if isinstance(problem, MethodNotAllowed):
        fields["Allow"] = ", ".join(problem.allowed)
    if problem.retry_after is not None:
        fields["Retry-After"] = str(problem.retry_after)
    return fields


def _challenge(problem: Problem) -> str:
    """By RFC 6750, 3, an error only for who has sent a token."""
    if isinstance(problem, UnknownService):
        return "Service-Assertion"
    if isinstance(problem, UnknownGuest):
        return f'Basic realm="{problem.realm}", charset="UTF-8"'
    if isinstance(problem, InvalidToken):
        error = "invalid_token"
    elif isinstance(problem, InsufficientScope):
        error = "insufficient_scope"
    else:
        return "Bearer"
    description = UNQUOTABLE.sub("'", problem.detail)
    return f'Bearer error="{error}", error_description="{description}"'


def render(
    status: int, code: str, detail: str, trace_id: str | None, **members: Any
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": f"urn:fusebox:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": masked(detail),
        "code": code,
        **members,
    }
    if trace_id:
        document["traceId"] = trace_id
    return document
