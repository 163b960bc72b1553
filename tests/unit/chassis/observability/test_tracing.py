"""Spans: which continue a trace, which begin one, and what is reported."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict
from py_zipkin import Kind
from py_zipkin.encoding import Span
from werkzeug.datastructures import Headers

from chassis.core.live import Live
from chassis.observability import tracing
from chassis.observability.propagation import PROPAGATION_HEADERS
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import TraceContext, Tracer

TRACE, SPAN = "463ac35c9f6413ad48485a3953bb6124", "a2fb4a1d1a96d312"
NO_TRACE, NO_SPAN = "0" * 32, "0" * 16


def tracer(spans: list[Span], probability: float = 1.0) -> Tracer:
    return Tracer("order-service", Sampler(Live(SamplingRules(probability))), spans.append)


CONTINUED = [
    {"b3": f"{TRACE}-{SPAN}-1"},
    {"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN, "X-B3-Sampled": "1"},
    {"traceparent": f"00-{TRACE}-{SPAN}-01"},
    {"traceparent": f"01-{TRACE}-{SPAN}-01"},
    {"traceparent": f"01-{TRACE}-{SPAN}-01-more"},
    {"traceparent": f"00-{TRACE}-{SPAN}-00", "X-B3-Sampled": "1"},
    {"traceparent": f"00-{TRACE}-{SPAN}-00", "b3": "1"},
    {"traceparent": f"00-{TRACE}-{SPAN}-00", "b3": f"{NO_TRACE}-{SPAN}-1"},
    {"traceparent": f"00-{TRACE}-{SPAN}-01", "b3": "nonsense"},
    {"traceparent": f"00-{TRACE}-{SPAN}-01", "X-B3-TraceId": "z"},
]


@pytest.mark.parametrize("headers", CONTINUED)
def test_a_callers_span_is_the_parent(headers: dict[str, str]) -> None:
    spans: list[Span] = []

    with tracer(spans, probability=0).serve("get /x", Headers(headers)):
        pass

    assert (spans[0].trace_id, spans[0].parent_id) == (TRACE, SPAN)
    assert spans[0].kind is Kind.SERVER


@pytest.mark.parametrize("headers", [{"b3": "0"}, {"X-B3-Sampled": "0"}])
def test_a_caller_may_decide_about_sampling_alone(headers: dict[str, str]) -> None:
    spans: list[Span] = []

    with tracer(spans).serve("get /x", Headers(headers)) as span:
        assert span.attrs.parent_span_id is None

    assert spans == []


BROKEN = [
    {"b3": "nonsense"},
    {"b3": f"{TRACE}-xyz-1"},
    {"b3": f"{'z' * 32}-{SPAN}-1"},
    {"traceparent": "00-1-2-3"},
    {"X-B3-TraceId": TRACE},
    {"traceparent": f"00-{NO_TRACE}-{SPAN}-01"},
    {"traceparent": f"00-{TRACE}-{NO_SPAN}-01"},
    {"traceparent": f"00-{NO_TRACE}-{NO_SPAN}-01"},
    {"traceparent": f"ff-{TRACE}-{SPAN}-01"},
    {"traceparent": f"00-{TRACE}-{SPAN}-01-more"},
    {"traceparent": f"01-{TRACE}-{SPAN}-01.more"},
    {"traceparent": f"00-{TRACE}-{SPAN}-01,00-{TRACE}-{SPAN}-01"},
    {"b3": f"{NO_TRACE}-{SPAN}-1"},
    {"b3": f"{NO_SPAN}-{SPAN}-1"},
    {"b3": f"{TRACE}-{NO_SPAN}-1"},
    {"b3": f"{TRACE}-{SPAN}-1-{NO_SPAN}"},
    {"X-B3-TraceId": NO_TRACE, "X-B3-SpanId": SPAN},
    {"X-B3-TraceId": TRACE, "X-B3-SpanId": NO_SPAN},
    {"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN, "X-B3-ParentSpanId": NO_SPAN},
]


@pytest.mark.parametrize("headers", BROKEN)
def test_malformed_trace_headers_begin_a_new_trace(headers: dict[str, str]) -> None:
    spans: list[Span] = []

    with tracer(spans).serve("get /x", Headers(headers)):
        pass

    assert spans[0].parent_id is None
    assert len(spans[0].trace_id) == 32


def test_b3_decides_about_sampling_of_the_trace_in_a_traceparent() -> None:
    headers = Headers({"traceparent": f"00-{TRACE}-{SPAN}-01", "X-B3-Sampled": "0"})

    assert tracing.incoming(headers).parent == TraceContext(TRACE, SPAN, None, "0", False)


def test_a_traceparent_that_came_twice_is_ignored() -> None:
    value = f"00-{TRACE}-{SPAN}-01"
    headers = CIMultiDict([("traceparent", value), ("traceparent", value)])

    assert tracing.incoming(headers).parent is None


IDS = st.sampled_from(
    [TRACE, SPAN, NO_TRACE, NO_SPAN, TRACE.upper(), "", "0", "٠" * 16, SPAN + "\n"]
)
FIELDS = IDS | st.sampled_from(["00", "01", "ff", "1", "d", "true"]) | st.text(max_size=34)
VALUES = st.text() | st.lists(FIELDS, max_size=6).map("-".join) | FIELDS
NAMES = [*PROPAGATION_HEADERS, "X-B3-SpanId", "X-B3-ParentSpanId"]


@given(st.dictionaries(st.sampled_from(NAMES), VALUES))
def test_whatever_the_headers_are_only_valid_ids_are_taken_over(headers: dict[str, str]) -> None:
    parent = tracing.incoming(headers).parent

    if parent is not None:
        assert re.fullmatch(r"[0-9a-f]{16}|[0-9a-f]{32}", parent.trace_id)
        assert re.fullmatch(r"[0-9a-f]{16}", parent.span_id or "")
        assert re.fullmatch(r"[0-9a-f]{16}", parent.parent_span_id or SPAN)
        for id in (parent.trace_id, parent.span_id, parent.parent_span_id):
            assert id is None or int(id, 16) > 0


def test_a_call_continues_at_the_other_end() -> None:
    spans: list[Span] = []
    here = tracer(spans)

    with here.serve("get /x", Headers()), here.span("get /y", Kind.CLIENT):
        sent = Headers(tracing.outgoing())
    with tracer(spans).serve("get /y", sent):
        pass

    client, server, other = spans
    assert (client.parent_id, other.parent_id) == (server.span_id, client.span_id)
    assert len({span.trace_id for span in spans}) == 1


def test_a_failed_span_says_why_and_the_error_goes_on() -> None:
    spans: list[Any] = []

    with (
        pytest.raises(ValueError, match="no"),
        tracer(spans).span("work", Kind.CLIENT),
    ):
        raise ValueError("no")

    assert spans[0].tags["error"] == "no"
    assert tracing.current() is None


def test_an_error_is_told_once_by_the_span_where_it_arose() -> None:
    spans: list[Any] = []
    here = tracer(spans)

    with (
        pytest.raises(ValueError, match="no"),
        here.serve("get /x", {}),
        here.span("get /y", Kind.CLIENT),
    ):
        raise ValueError("no")

    inner, outer = spans
    assert inner.tags["error"] == "no"
    assert "error" not in outer.tags


def test_an_error_that_many_traces_share_is_told_in_each() -> None:
    spans: list[Any] = []
    here, error = tracer(spans), ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"), here.serve("get /x", {}):
            raise error

    assert [span.tags["error"] for span in spans] == ["no", "no"]


def test_an_error_within_a_trace_that_is_not_sampled_is_told_by_the_request_itself() -> None:
    spans: list[Any] = []
    here = tracer(spans, probability=0)

    with (
        pytest.raises(ValueError, match="no"),
        here.serve("get /x", {}),
        here.span("get /y", Kind.CLIENT),
    ):
        raise ValueError("no")

    assert [span.tags["error"] for span in spans] == ["no"]


def test_every_span_names_the_instance_that_made_it() -> None:
    spans: list[Span] = []
    made = Tracer("s", Sampler(Live(SamplingRules())), spans.append, instance="s-2")

    with made.serve("get /x", {}), made.span("get /y", Kind.CLIENT) as span:
        span.tags["other"] = "tag"

    assert [span.tags["instance"] for span in spans] == ["s-2", "s-2"]
    assert spans[0].tags["other"] == "tag"
