"""The table from errors to HTTP."""

import json

from chassis.core.errors import CircuitOpen, Conflict, Problem, TimedOut, Unavailable
from chassis.web import problem_details


def test_every_problem_has_a_status_and_retry_after_where_known() -> None:
    assert problem_details.status_of(CircuitOpen("x")) == 503
    assert problem_details.status_of(TimedOut("x")) == 504
    assert problem_details.status_of(Problem("x")) == 500
    assert problem_details.headers(Unavailable("x"))["Retry-After"] == "1"
    document = problem_details.document(Conflict("x", code="out-of-stock", products=["A"]), "abc")
    assert json.loads(json.dumps(document)) == {
        "type": "urn:fusebox:problem:out-of-stock",
        "title": "Conflict",
        "status": 409,
        "detail": "x",
        "code": "out-of-stock",
        "products": ["A"],
        "traceId": "abc",
    }
