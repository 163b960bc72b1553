"""What can be seen of the gateway: traces, metrics, health and its own pages."""

from typing import Any

import pytest
from aiohttp import web
from py_zipkin import Kind
from py_zipkin.encoding import Span

from chassis.observability import span_tags

from ..conftest import Shop, until

TRACE = "463ac35c9f6413ad48485a3953bb6124"
SPAN = "a2fb4a1d1a96d312"
B3 = {"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN, "X-B3-Sampled": "1"}


def both(shop: Shop) -> tuple[Span, Span]:
    until(lambda: len(shop.spans) >= 2)
    server, client = sorted(shop.spans, key=lambda span: span.kind != Kind.SERVER)
    return server, client


def test_a_request_is_a_server_and_a_client_span_of_one_trace(shop: Shop) -> None:
    upstream = shop.upstream()

    answer = shop.call("/order-service/users/7/orders?x=1", "POST", data=b"x")

    server, client = both(shop)
    assert server.trace_id == client.trace_id == answer.headers["X-Trace-Id"]
    assert len(server.trace_id) == 32
    assert (server.parent_id, client.parent_id) == (None, server.span_id)
    assert server.name == client.name == "post /order-service/**"
    assert client.remote_endpoint is not None
    assert client.remote_endpoint.service_name == "order-service"
    assert client.remote_endpoint.port == upstream.port
    assert server.tags == {
        "http.method": "POST",
        "http.path": "/order-service/users/7/orders",
        "http.status_code": "200",
    }
    assert client.tags == {"http.status_code": "200", "circuitbreaker.state": "CLOSED"}
    sent = upstream.seen[0].headers
    assert sent["X-B3-TraceId"] == client.trace_id
    assert sent["X-B3-SpanId"] == client.span_id
    assert sent["X-B3-ParentSpanId"] == server.span_id
    assert sent["X-B3-Sampled"] == "1"


@pytest.mark.parametrize(
    "headers", [B3, {"b3": f"{TRACE}-{SPAN}-1"}, {"traceparent": f"00-{TRACE}-{SPAN}-01"}]
)
def test_a_callers_trace_is_continued(shop: Shop, headers: dict[str, str]) -> None:
    upstream = shop.upstream()

    answer = shop.call("/order-service/x", headers=headers)

    server, client = both(shop)
    assert answer.headers["X-Trace-Id"] == server.trace_id == TRACE
    assert server.parent_id == SPAN
    assert upstream.seen[0].headers.getall("X-B3-SpanId") == [client.span_id]
    traceparent = f"00-{TRACE}-{client.span_id}-01"
    assert upstream.seen[0].headers.getall("traceparent") == [traceparent]
    assert upstream.seen[0].headers.getall("b3") == [f"{TRACE}-{client.span_id}-1"]


def test_a_trace_that_is_not_sampled_has_an_id_and_no_spans(shop: Shop) -> None:
    upstream = shop.upstream()

    answer = shop.call("/order-service/x", headers={"b3": "0"})

    assert len(answer.headers["X-Trace-Id"]) == 32
    assert upstream.seen[0].headers["X-B3-Sampled"] == "0"
    assert shop.spans == []


@pytest.mark.parametrize("has_its_own_span", [True, False])
def test_a_failure_is_told_once_where_it_arose(shop: Shop, has_its_own_span: bool) -> None:
    async def answer(_request: web.BaseRequest) -> web.StreamResponse:
        own = {span_tags.HEADER: "http.route=%2Fx"} if has_its_own_span else {}
        return web.Response(status=500, headers=own)

    shop.upstream(answer)
    shop.call("/order-service/x")

    server, client = both(shop)
    assert server.tags["http.status_code"] == client.tags["http.status_code"] == "500"
    assert "error" not in server.tags
    assert client.tags.get("error") == (None if has_its_own_span else "500")


def test_a_failure_of_a_request_that_is_not_sampled_is_kept_with_its_error(shop: Shop) -> None:
    shop.call("/order-service/x", headers={"b3": "0"})

    until(lambda: shop.spans)
    (span,) = shop.spans
    assert "order-service" in str(span.tags["error"])


def test_a_dead_service_is_told_by_the_span_of_its_call(shop: Shop) -> None:
    shop.call("/order-service/x")

    server, client = both(shop)
    assert server.tags["http.status_code"] == "503"
    assert "error" not in server.tags
    assert client.tags["error"] == "No instance of order-service answers."
    assert client.remote_endpoint is not None
    assert client.remote_endpoint.service_name == "order-service"


def test_a_refusal_is_no_error_of_the_trace(shop: Shop) -> None:
    shop.call("/nowhere")

    until(lambda: shop.spans)
    (span,) = shop.spans
    assert span.name == "get unknown"
    assert span.tags["http.status_code"] == "404"
    assert "error" not in span.tags


def test_requests_are_counted_by_template(shop: Shop) -> None:
    shop.upstream()
    shop.call("/order-service/users/7")
    shop.call("/nowhere/8")
    shop.say(b"nonsense\r\n\r\n")

    text = shop.process.metrics.exposition().decode()

    count = "http_server_requests_seconds_count"
    assert (
        f'{count}{{method="GET",outcome="SUCCESS",status="200",uri="/order-service/**"}} 1.0'
        in text
    )
    assert f'{count}{{method="GET",outcome="CLIENT_ERROR",status="404",uri="unknown"}} 1.0' in text
    assert 'method="UNKNOWN",outcome="CLIENT_ERROR",status="400"' in text


def test_it_is_ready_once_it_knows_whom_to_send_to(shop: Shop) -> None:
    early = shop.call("/actuator/health/readiness")
    shop.process.registry.fetched.set()
    ready = shop.call("/actuator/health/readiness")

    assert (early.status_code, early.json()["status"]) == (503, "DOWN")
    assert (ready.status_code, ready.json()["status"]) == (200, "UP")
    assert len(ready.headers["X-Trace-Id"]) == 32
    assert shop.spans == []


def test_its_routes_are_shown_to_admins(shop: Shop) -> None:
    shop.tokens.refresh()

    routes: list[dict[str, Any]] = shop.call(
        "/actuator/gateway/routes", headers=shop.token("admin")
    ).json()

    assert routes[0] == {
        "route_id": "order-service",
        "predicate": "Paths: [/order-service/**], match trailing slash: true",
        "filters": ["[[StripPrefix parts = 1], order = 1]"],
        "uri": "lb://order-service",
        "order": 0,
        "metadata": {},
    }


def test_a_change_of_the_settings_applies_to_the_next_request(shop: Shop) -> None:
    shop.upstream(service="catalog-service")
    assert shop.call("/shelf/x").status_code == 404

    shop.source["spring.cloud.gateway.routes[1].predicates[0]"] = "Path=/shelf/**"
    shop.set()

    assert shop.call("/shelf/x").ok


def test_a_trace_is_named_and_tagged_as_the_service_says_and_the_client_is_not_told(
    shop: Shop,
) -> None:
    async def saying(_request: web.BaseRequest) -> web.StreamResponse:
        tags = {"http.route": "/{user_id}/orders", "order.id": "7"}
        return web.json_response({}, headers={"X-Span-Tags": span_tags.encode(tags)})

    shop.upstream(saying)

    answer = shop.call("/order-service/u/orders")

    assert "X-Span-Tags" not in answer.headers
    until(lambda: len(shop.spans) == 2)
    assert {span.name for span in shop.spans} == {"get /order-service/{user_id}/orders"}
    assert [span.tags["order.id"] for span in shop.spans] == ["7", "7"]


def test_what_a_service_says_in_vain_leaves_the_routes_name(shop: Shop) -> None:
    async def saying(_request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({}, headers={"X-Span-Tags": "http.route=x&&="})

    shop.upstream(saying)

    shop.call("/order-service/u/orders")

    until(lambda: len(shop.spans) == 2)
    assert {span.name for span in shop.spans} == {"get /order-service/**"}
