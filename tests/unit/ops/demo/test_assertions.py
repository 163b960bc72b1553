"""What the tour's judgement lets pass, and what not."""

from typing import Any

import pytest

from fusebox.demo.assertions import (
    HOPS,
    Breaker,
    Order,
    Span,
    counted,
    counts_up_and_opens,
    is_one_trace,
    missing_hops,
    refuses_unasked,
)
from fusebox.demo.steps.one_order import picture
from fusebox.demo.steps.proof import seen
from fusebox.operations.verify.invariants import Finding


def breaker(state: str, failures: int, failed: int = 0, refused: int = 0) -> Breaker:
    return Breaker(state, failures, failed or failures, refused)


GOOD = [breaker("CLOSED", 1), breaker("CLOSED", 2), breaker("OPEN", 3), breaker("OPEN", 3, 3, 1)]
COUNTS = [
    ("as it should", GOOD, True),
    ("too early", [breaker("CLOSED", 1), breaker("OPEN", 2)], False),
    ("too late", [breaker("CLOSED", 3), breaker("OPEN", 4)], False),
    ("never", [breaker("CLOSED", 1), breaker("CLOSED", 2)], False),
    ("counting back", [breaker("CLOSED", 2), breaker("CLOSED", 1), breaker("OPEN", 3)], False),
]


@pytest.mark.parametrize(("how", "readings", "kept"), COUNTS)
def test_a_breaker_opens_at_its_number_of_failures(
    how: str, readings: list[Breaker], kept: bool
) -> None:
    assert counts_up_and_opens(readings, 3) is kept, how


REFUSALS = [
    ("nobody was asked", [breaker("OPEN", 3, 3, 0), breaker("OPEN", 3, 3, 2)], True),
    ("somebody was", [breaker("OPEN", 3, 3, 0), breaker("OPEN", 3, 4, 2)], False),
    ("nobody was refused", [breaker("OPEN", 3, 3, 0), breaker("OPEN", 3, 3, 0)], False),
    ("it did not open", [breaker("CLOSED", 1), breaker("CLOSED", 2)], False),
]


@pytest.mark.parametrize(("how", "readings", "kept"), REFUSALS)
def test_an_open_breaker_asks_nobody(how: str, readings: list[Breaker], kept: bool) -> None:
    assert refuses_unasked(readings) is kept, how


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


def whole() -> list[Span]:
    return [span(number, *hop) for number, hop in enumerate(HOPS)]


def test_the_whole_way_of_an_order_lacks_nobody() -> None:
    assert missing_hops(whole()) == []
    assert is_one_trace(whole())


def test_who_is_missing_in_a_trace_is_named() -> None:
    spans = [each for each in whole() if each["kind"] != "CONSUMER"]

    assert missing_hops(spans) == [
        "catalog-service CONSUMER orders",
        "order-service CONSUMER catalog",
    ]


BROKEN_TRACES = [
    ("two ids", {"traceId": "another"}),
    ("a parent that nobody has sent", {"parentId": "lost"}),
]


@pytest.mark.parametrize(("how", "wrong"), BROKEN_TRACES)
def test_a_trace_in_pieces_is_none(how: str, wrong: dict[str, str]) -> None:
    assert not is_one_trace([*whole(), span(9, "gateway", "CLIENT", **wrong)]), how


def test_no_spans_are_no_trace() -> None:
    assert not is_one_trace([])
    assert picture([]) == []


def test_the_picture_of_a_trace_counts_from_its_begin() -> None:
    lines = picture(whole())

    assert lines[0].split() == [
        "0.0", "ms", "gateway", "answers", "post", "/orders", "0.5", "ms"
    ]  # fmt: skip
    assert lines[4].split()[:2] == ["4.0", "ms"]
    assert "reads from Kafka, orders" in lines[4]


def test_answers_are_counted_the_most_frequent_first() -> None:
    answers = [Order(201, "PENDING", degraded=("catalog-service",)), Order(409, "out-of-stock")]

    told = counted(map(str, [*answers, answers[1]]))

    assert told == "2 × 409 out-of-stock, 1 × 201 PENDING, degraded: catalog-service"


def test_of_many_products_the_books_show_the_tours_own() -> None:
    figures = {"CATALOG-0001": "100 = 100", "DEMO-TEAPOT": "5 = 5", "CATALOG-0002": "1 = 1"}

    assert seen(Finding("stock", figures)) == "DEMO-TEAPOT: 5 = 5, and 2 products more"
    assert seen(Finding("outboxes", {"user-service": 0})) == "user-service: 0"
    assert seen(Finding("stock", figures, frozenset({"b is off", "a is off"}))) == (
        "a is off; b is off"
    )
