"""What the gateway says itself, in the contract's form, and the trace that every answer names."""

import json

from multidict import CIMultiDict

from chassis.core.errors import Problem
from chassis.web import problem_details
from gateway.http.messages import Response
from gateway.proxy import security_headers
from gateway.routing.rate_limit import RateExceeded

SERVER = "fusebox-gateway"


def trace_headers(trace_id: str, ui: str) -> dict[str, str]:
    return {"X-Trace-Id": trace_id, "X-Trace-Url": f"{ui}/zipkin/traces/{trace_id}"}


def problem(error: Problem, trace: dict[str, str]) -> Response:
    document = problem_details.document(error, trace["X-Trace-Id"])
    more = error.headers if isinstance(error, RateExceeded) else {}
    return page(
        document["status"],
        problem_details.CONTENT_TYPE,
        json.dumps(document).encode(),
        {**problem_details.headers(error), **more, **trace},
    )


def page(status: int, content_type: str, body: bytes, headers: dict[str, str]) -> Response:
    own = {
        "Content-Type": content_type,
        "Cache-Control": "no-store",
        "Server": SERVER,
        **security_headers.unsaid((), content_type),
        **headers,
    }
    return Response(status, CIMultiDict(own), body)
