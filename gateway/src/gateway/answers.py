"""What the gateway says itself, in the contract's form, and the trace that every answer names."""

import json

from aiohttp import web

from chassis import problems
from chassis.errors import Problem

TRACE_ID = web.RequestKey("trace id", str)
SERVER = "fusebox-gateway"


def trace_headers(trace_id: str, ui: str) -> dict[str, str]:
    return {"X-Trace-Id": trace_id, "X-Trace-Url": f"{ui}/zipkin/traces/{trace_id}"}


def problem(error: Problem, trace: dict[str, str]) -> web.Response:
    document = problems.document(error, trace["X-Trace-Id"])
    return web.Response(
        status=document["status"],
        body=json.dumps(document).encode(),
        headers={
            "Content-Type": problems.CONTENT_TYPE,
            "Server": SERVER,
            **problems.headers(error),
            **trace,
        },
    )
