"""What everybody may ask a process about itself: these are open through the gateway too."""

from chassis.actuator.documents import HealthDocument, InfoDocument
from chassis.actuator.endpoints import JSON
from chassis.web.openapi import Routed
from chassis.web.operations import Access, Operation, SuccessResponse


def _health(summary: str) -> Operation:
    success = SuccessResponse(
        document=HealthDocument, description=summary, content_type=JSON, other_statuses=(503,)
    )
    return Operation(summary, Access.ANYONE, success)


PUBLIC_ENDPOINTS = (
    Routed("GET", "/actuator/health", _health("Whether it is well, and its parts")),
    Routed("GET", "/actuator/health/liveness", _health("Whether it lives")),
    Routed("GET", "/actuator/health/readiness", _health("Whether requests should come here")),
    Routed(
        "GET",
        "/actuator/info",
        Operation(
            "Which process this is",
            Access.ANYONE,
            SuccessResponse(document=InfoDocument, content_type=JSON),
        ),
    ),
)
