"""What the gateway answers itself: its own pages, and what it adds to every answer."""

from typing import Annotated, Any

from pydantic import Field

from chassis.actuator.public_endpoints import PUBLIC_ENDPOINTS
from chassis.chaos.monkey import AssaultException
from chassis.core.errors import (
    BadRequest,
    CircuitOpen,
    Forbidden,
    HeadersTooLarge,
    InvalidToken,
    NotCached,
    NotFound,
    NotSentInTime,
    Overloaded,
    Problem,
    RateLimited,
    TargetTooLong,
    TimedOut,
    TooLarge,
    Unavailable,
)
from chassis.web.documents import Document
from chassis.web.openapi import Routed, header
from chassis.web.operations import Access, Operation, SuccessResponse

HTML = "text/html"

Page = Annotated[str, Field(examples=["<!doctype html><title>Fusebox</title>"])]


class OpenApiDocument(Document):
    openapi: Annotated[str, Field(examples=["3.1.1"], pattern=r"^3\.1\.")]
    info: Annotated[dict[str, Any], Field(examples=[{"title": "Fusebox", "version": "0.3.0"}])]
    paths: Annotated[dict[str, Any], Field(examples=[{}])]


OWN_OPERATIONS = (
    Routed(
        "GET",
        "/",
        Operation(
            "Where to go from here, for who asks for HTML",
            Access.ANYONE,
            SuccessResponse(
                document=Page,
                content_type=HTML,
                other_statuses=(302,),
                now_and_then={"Location": "The panel, where there is one."},
            ),
        ),
    ),
    Routed(
        "GET",
        "/docs",
        Operation(
            "This description, for people",
            Access.ANYONE,
            SuccessResponse(document=Page, content_type=HTML),
        ),
    ),
    Routed(
        "GET",
        "/openapi.json",
        Operation(
            "This description",
            Access.ANYONE,
            SuccessResponse(document=OpenApiDocument, headers={"ETag": "Of these very bytes."}),
        ),
    ),
    *PUBLIC_ENDPOINTS,
)

# Of any request.
REFUSALS: tuple[Problem, ...] = (
    BadRequest("The path has a backslash, and servers differ over what that means."),
    InvalidToken("The token has expired: log in again.", code="token-expired"),
    InvalidToken("The token is not valid: log in again."),
    Forbidden("This is blocked.", code="blocked"),
    NotFound("No service of this shop has this address."),
    NotSentInTime("The rest of the request did not come."),
    TooLarge("The body is larger than 1048576 bytes."),
    TargetTooLong("The address is longer than 8190 bytes."),
    RateLimited("More requests than this client may send.", retry_after=1),
    HeadersTooLarge("The headers are longer than 16384 bytes."),
    AssaultException(),
    Unavailable("order-service does not answer."),
    CircuitOpen("order-service is not asked at the moment: it has failed too often."),
    Overloaded("The shop has more to do than it can; nothing was done."),
    TimedOut("order-service did not answer in time."),
)
READS_ONLY: tuple[Problem, ...] = (
    NotCached("Only a cached response was asked for, and there is none."),
)

HEADERS = {
    "X-Trace-Id": header("The trace of this request."),
    "X-Trace-Url": header("That trace in Zipkin."),
    "RateLimit": header("What is left of the rate, and until when.", required=False),
    "RateLimit-Policy": header("The rates that count this request.", required=False),
}
