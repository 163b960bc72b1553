"""A trace in Zipkin tells the whole story of a request, messages and waits included."""

import re
import uuid
from collections.abc import Callable
from typing import Any

import requests
from kafka import KafkaConsumer

# The shop does not wait for it, and a busy machine takes its time.
ZIPKIN_SECONDS = 60
# Of one order whose request waits for the decision: service, kind, name.
SAGA = {
    ("gateway", "SERVER", "post /order-service/{user_id}/orders"),
    ("gateway", "CLIENT", "post /order-service/{user_id}/orders"),
    ("order-service", "SERVER", "post /{user_id}/orders"),
    ("order-service", "CLIENT", "get /catalogs"),
    ("catalog-service", "SERVER", "get /catalogs"),
    ("catalog-service", "CLIENT", "transaction"),
    ("order-service", "CLIENT", "transaction"),
    ("order-service", None, "wait in outbox"),
    ("order-service", "PRODUCER", "send orders"),
    ("catalog-service", "CONSUMER", "receive orders"),
    ("catalog-service", None, "wait in outbox"),
    ("catalog-service", "PRODUCER", "send catalog"),
    ("order-service", "CONSUMER", "receive catalog"),
}
AN_ID = re.compile(r"[0-9a-f]{8}-|\\d{3}|CATALOG-")

Spans = list[dict[str, Any]]


def steps_of(spans: Spans) -> set[tuple[str, str | None, str]]:
    return {
        (span["localEndpoint"]["serviceName"], span.get("kind"), span["name"]) for span in spans
    }


def trace_with(shop: Any, trace_id: str, is_whole: Callable[[Spans], object]) -> Spans:
    shop.until(lambda: is_whole(shop.trace(trace_id)), ZIPKIN_SECONDS)
    return list(shop.trace(trace_id))


def tags_of(spans: Spans, service: str, name: str) -> dict[str, str]:
    [span] = [
        span
        for span in spans
        if (span["localEndpoint"]["serviceName"], span["name"]) == (service, name)
    ]
    return dict(span["tags"])


def test_the_whole_saga_of_an_order_is_one_trace(shop: Any) -> None:
    answer = shop.customer().place(wait=5)
    trace_id = answer.headers["X-Trace-Id"]
    assert answer.headers["X-Trace-Url"].endswith(f"/zipkin/traces/{trace_id}")

    spans = trace_with(shop, trace_id, lambda spans: steps_of(spans) >= SAGA)

    assert {span["traceId"] for span in spans} == {trace_id}
    ids = {span["id"] for span in spans}
    roots = [span for span in spans if "parentId" not in span]
    assert len(roots) == 1
    assert all(span["parentId"] in ids for span in spans if span not in roots)
    messages = [span for span in spans if span.get("kind") in ("PRODUCER", "CONSUMER")]
    assert {span["remoteEndpoint"]["serviceName"] for span in messages} == {"kafka"}
    assert not [span["name"] for span in spans if AN_ID.search(span["name"])]
    assert not [span for span in spans if "error" in span["tags"]]


def test_the_statements_of_a_trace_have_no_values(shop: Any) -> None:
    customer = shop.customer()
    answer = customer.place(wait=5)

    spans = trace_with(shop, answer.headers["X-Trace-Id"], lambda spans: steps_of(spans) >= SAGA)

    queries = [span["tags"]["sql.query"] for span in spans if span["name"] == "transaction"]
    assert any("INSERT INTO orders" in query for query in queries)
    values = (answer.json()["orderId"], answer.json()["userId"], "CATALOG-0001")
    assert not [query for query in queries if any(value in query for value in values)]


def test_a_callers_trace_is_continued(shop: Any) -> None:
    trace_id, span_id = uuid.uuid4().hex, "00f067aa0ba902b7"
    headers = {"traceparent": f"00-{trace_id}-{span_id}-01"}

    answer = requests.get(f"{shop.gateway}/catalog-service/catalogs", headers=headers, timeout=5)

    assert answer.headers["X-Trace-Id"] == trace_id


def test_baggage_comes_with_the_decision_of_the_order(shop: Any) -> None:
    seat = f"seat={uuid.uuid4()}"
    consumer = KafkaConsumer(
        "catalog",
        bootstrap_servers=shop.kafka,
        auto_offset_reset="earliest",
        consumer_timeout_ms=20_000,
    )

    customer = shop.customer()
    customer.call(
        "POST",
        customer.orders,
        json={"productId": "CATALOG-0001", "qty": 1},
        headers={"baggage": seat},
    )

    carried = (dict(record.headers).get("baggage", b"").decode() for record in consumer)
    assert seat in carried
    consumer.close()


def test_a_repeated_request_says_that_it_is_one(shop: Any) -> None:
    customer, key = shop.customer(), str(uuid.uuid4())
    customer.place(key=key)

    trace_id = customer.place(key=key).headers["X-Trace-Id"]

    spans = trace_with(shop, trace_id, lambda spans: len(spans) >= 4)
    name = "post /{user_id}/orders"
    assert tags_of(spans, "order-service", name)["idempotent.repeat"] == "true"


def test_an_order_without_catalog_service_shows_the_breaker_and_the_fallback(shop: Any) -> None:
    customer = shop.customer()
    shop.kill("catalog-service")
    try:
        answers = [customer.place() for _ in range(8)]
        trace_id = answers[-1].headers["X-Trace-Id"]
        spans = trace_with(shop, trace_id, lambda spans: len(spans) >= 4)
    finally:
        shop.start("catalog-service")

    call = tags_of(spans, "order-service", "get /catalogs")
    assert call["circuitbreaker.state"] == "OPEN"
    assert call["fallback"] == "products as they were last known"
    assert "error" in call
    placed = tags_of(spans, "order-service", "post /{user_id}/orders")
    assert placed["degraded"] == "catalog-service"
    assert "error" not in placed


def test_the_dependencies_of_an_order_are_those_of_the_picture(shop: Any) -> None:
    shop.customer().place(wait=5)
    picture = {
        ("gateway", "order-service"),
        ("order-service", "catalog-service"),
        ("order-service", "kafka"),
        ("kafka", "catalog-service"),
        ("catalog-service", "kafka"),
        ("kafka", "order-service"),
        ("order-service", "postgres"),
        ("catalog-service", "postgres"),
    }

    shop.until(lambda: picture <= shop.dependencies(), ZIPKIN_SECONDS)

    names = {name for link in shop.dependencies() for name in link}
    assert not [name for name in names if not re.fullmatch(r"[a-z][a-z-]*", name)], names
