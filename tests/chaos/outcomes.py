"""What a client of the gateway may see, and whether an answer has the contract's form."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests

PROBLEM = "application/problem+json"
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "traceId"}
ORDER_MEMBERS = {"orderId", "userId", "status", "lines", "totalPrice", "createdAt"}
# A whole shop in which any part may break shows its client these, and nothing else.
REFUSED = frozenset(
    ("503 service-unavailable", "503 circuit-open", "503 overloaded", "504 upstream-timeout")
)
NO_CONNECTION = "no connection"
NO_ANSWER = "no answer"


@dataclass(frozen=True)
class ObservedAnswer:
    """One answer as the client gets it: `outcome` in the words of docs/faults.md."""

    outcome: str
    seconds: float
    answer: requests.Response | None = None


def observe(send: Callable[[], requests.Response]) -> ObservedAnswer:
    """Send the request and measure the time; that there is no answer is an outcome too."""
    began = time.monotonic()
    answer = None
    try:
        answer = send()
        outcome = described(answer)
    except requests.Timeout:
        outcome = NO_ANSWER
    except requests.ConnectionError:
        outcome = NO_CONNECTION
    return ObservedAnswer(outcome, time.monotonic() - began, answer)


def described(answer: requests.Response) -> str:
    """`201`, `200 degraded: order-service`, `503 circuit-open`."""
    document: Any = answer.json() if answer.content else {}
    if answer.status_code >= 400:
        return f"{answer.status_code} {document['code']}"
    missing = document.get("degraded", []) if isinstance(document, dict) else []
    return " ".join([str(answer.status_code), *(["degraded:", *missing] if missing else [])])


def complaints(answer: requests.Response) -> list[str]:
    """How `answer` differs from the contract's form; none when it is well formed."""
    violations = [
        f"no {name}" for name in ("X-Trace-Id", "X-Trace-Url") if name not in answer.headers
    ]
    if answer.status_code >= 400:
        violations += _complaints_of_problem(answer)
    elif answer.status_code == 201 and "orderId" in answer.json():
        violations += _complaints_of_order(answer)
    return violations


def _complaints_of_problem(answer: requests.Response) -> list[str]:
    if answer.headers.get("Content-Type") != PROBLEM:
        return [f"an error of the type {answer.headers.get('Content-Type')}"]
    document = answer.json()
    violations = [f"no {name}" for name in sorted(PROBLEM_MEMBERS - document.keys())]
    if document.get("status") != answer.status_code:
        violations.append(f"{document.get('status')} in the body")
    if answer.status_code in (429, 503) and "Retry-After" not in answer.headers:
        violations.append("no Retry-After")
    return violations


def _complaints_of_order(answer: requests.Response) -> list[str]:
    document = answer.json()
    violations = [f"no {name}" for name in sorted(ORDER_MEMBERS - document.keys())]
    if not answer.headers.get("Location", "").endswith(f"/orders/{document['orderId']}"):
        violations.append(f"Location: {answer.headers.get('Location')}")
    if document.get("degraded", ["catalog-service"]) != ["catalog-service"]:
        violations.append(f"degraded: {document['degraded']}")
    return violations
