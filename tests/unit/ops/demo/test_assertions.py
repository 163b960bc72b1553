"""The demo's assertions: what they accept, and what they do not."""

from typing import Any

import pytest

from fusebox.demo.assertions import (
    EXPECTED_SPANS,
    BreakerReading,
    Span,
    counted,
    counts_up_and_opens,
    is_one_trace,
    missing_spans,
    refuses_without_calling,
)
from fusebox.demo.steps.one_order import picture
from fusebox.demo.steps.proof import evidence
from fusebox.operations.verify.invariants import Finding
from fusebox.runtime.shop_client import OrderResult


def reading(state: str, failures: int, failed: int = 0, refused: int = 0) -> BreakerReading:
    return BreakerReading(state, failures, failed or failures, refused)


GOOD = [reading("CLOSED", 1), reading("CLOSED", 2), reading("OPEN", 3), reading("OPEN", 3, 3, 1)]
COUNTS = [
    ("as it should", GOOD, True),
    ("too early", [reading("CLOSED", 1), reading("OPEN", 2)], False),
    ("too late", [reading("CLOSED", 3), reading("OPEN", 4)], False),
    ("never", [reading("CLOSED", 1), reading("CLOSED", 2)], False),
    ("counting back", [reading("CLOSED", 2), reading("CLOSED", 1), reading("OPEN", 3)], False),
]


@pytest.mark.parametrize(("how", "readings", "holds"), COUNTS)
def test_a_breaker_opens_at_its_number_of_failures(
    how: str, readings: list[BreakerReading], holds: bool
) -> None:
    assert counts_up_and_opens(readings, 3) is holds, how


REFUSALS = [
    ("it was not called", [reading("OPEN", 3, 3, 0), reading("OPEN", 3, 3, 2)], True),
    ("it was called", [reading("OPEN", 3, 3, 0), reading("OPEN", 3, 4, 2)], False),
    ("nobody was refused", [reading("OPEN", 3, 3, 0), reading("OPEN", 3, 3, 0)], False),
    ("it did not open", [reading("CLOSED", 1), reading("CLOSED", 2)], False),
]


@pytest.mark.parametrize(("how", "readings", "holds"), REFUSALS)
def test_an_open_breaker_lets_no_call_through(
    how: str, readings: list[BreakerReading], holds: bool
) -> None:
    assert refuses_without_calling(readings) is holds, how


def span(number: int, service: str, kind: str, topic: str = "", **given: Any) -> Span:
    parent = {"parentId": str(number - 1)} if number else {}
    return {
        "traceId": "t",
        "id": str(number),
        **parent,
        "kind": kind,
        "name": "post /orders",
        "timestamp": 1_000_000 + 1_000 * number,
        "duration": 500,
        "localEndpoint": {"serviceName": service},
        "tags": {"kafka.topic": topic} if topic else {},
        **given,
    }


def complete_trace() -> list[Span]:
    return [span(number, *hop) for number, hop in enumerate(EXPECTED_SPANS)]


def test_a_complete_trace_of_an_order_has_no_missing_spans() -> None:
    assert missing_spans(complete_trace()) == []
    assert is_one_trace(complete_trace())


def test_missing_spans_are_named() -> None:
    spans = [span for span in complete_trace() if span["kind"] != "CONSUMER"]

    assert missing_spans(spans) == [
        "catalog-service CONSUMER orders",
        "order-service CONSUMER catalog",
    ]


BROKEN_TRACES = [
    ("two ids", {"traceId": "another"}),
    ("a parent that nobody has sent", {"parentId": "lost"}),
]


@pytest.mark.parametrize(("how", "wrong"), BROKEN_TRACES)
def test_spans_that_do_not_hang_together_are_not_one_trace(how: str, wrong: dict[str, str]) -> None:
    assert not is_one_trace([*complete_trace(), span(9, "gateway", "CLIENT", **wrong)]), how


def test_without_spans_there_is_no_trace_and_no_picture() -> None:
    assert not is_one_trace([])
    assert picture([]) == []


def test_the_picture_of_a_trace_counts_from_its_first_span() -> None:
    lines = picture(complete_trace())

    assert lines[0].split() == [
        "0.0", "ms", "gateway", "answers", "post", "/orders", "0.5", "ms"
    ]  # fmt: skip
    assert lines[4].split()[:2] == ["4.0", "ms"]
    assert "reads from Kafka, orders" in lines[4]


def test_answers_are_counted_with_the_most_frequent_first() -> None:
    answers = [
        OrderResult(201, "PENDING", degraded=("catalog-service",)),
        OrderResult(409, code="out-of-stock"),
    ]

    text = counted(map(str, [*answers, answers[1]]))

    assert text == "2 × 409 out-of-stock, 1 × 201 PENDING, degraded: catalog-service"


def test_of_many_products_the_demo_shows_its_own() -> None:
    figures = {"CATALOG-0001": "100 = 100", "DEMO-TEAPOT": "5 = 5", "CATALOG-0002": "1 = 1"}

    assert evidence(Finding("stock", figures)) == "DEMO-TEAPOT: 5 = 5, and 2 more products"
    assert evidence(Finding("outboxes", {"user-service": 0})) == "user-service: 0"
    assert evidence(Finding("stock", figures, frozenset({"b is off", "a is off"}))) == (
        "a is off; b is off"
    )
