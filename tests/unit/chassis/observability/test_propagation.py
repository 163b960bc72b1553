"""What is sent with a call or a message, so that the other end continues the trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from chassis.observability import propagation
from chassis.observability.propagation import LONGEST_BAGGAGE, TraceContext

TRACE, SPAN, PARENT = "463ac35c9f6413ad48485a3953bb6124", "a2fb4a1d1a96d312", "b1fb4a1d1a96d312"
SHORT_TRACE = TRACE[:16]
BAGGAGE = "course=spring%20cloud;seat=7,team=blue"

hex_ids = st.integers(1, 2**64 - 1).map("{:016x}".format)
baggage = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=200)
contexts = st.builds(
    TraceContext,
    hex_ids | st.tuples(hex_ids, hex_ids).map("".join),
    hex_ids,
    st.none() | hex_ids,
    st.just("0"),
    st.booleans(),
    baggage,
)


@pytest.mark.parametrize(
    "form",
    [
        ("X-B3-TraceId", "X-B3-SpanId", "X-B3-ParentSpanId", "X-B3-Sampled"),
        ("b3",),
        ("traceparent",),
    ],
)
@given(context=contexts)
def test_whichever_form_the_called_one_reads_it_continues_the_span(
    form: tuple[str, ...], context: TraceContext
) -> None:
    sent = propagation.outgoing(context)

    read = propagation.incoming({name: sent[name] for name in form if name in sent}).parent

    assert read is not None
    assert read.trace_id in (context.trace_id, f"{context.trace_id:0>32}")
    assert (read.span_id, read.is_sampled) == (context.span_id, context.is_sampled)


def test_a_debug_trace_stays_one() -> None:
    sent = propagation.outgoing(TraceContext(TRACE, SPAN, None, "1", True))

    assert (sent["X-B3-Flags"], sent["b3"]) == ("1", f"{TRACE}-{SPAN}-d")
    read = propagation.incoming({"b3": sent["b3"]}).parent
    assert read is not None
    assert read.flags == "1"


def test_a_short_trace_id_gets_zeros_in_traceparent_alone() -> None:
    sent = propagation.outgoing(TraceContext(SHORT_TRACE, SPAN, PARENT, "0", False))

    assert sent["traceparent"] == f"00-{'0' * 16}{SHORT_TRACE}-{SPAN}-00"
    assert sent["X-B3-TraceId"] == SHORT_TRACE


@given(contexts)
def test_a_message_and_the_outbox_keep_all_but_the_parent(context: TraceContext) -> None:
    kept = context._replace(parent_span_id=None)

    assert propagation.incoming(dict(propagation.to_record(context))).parent == kept
    assert propagation.of_text(propagation.to_text(context)) == kept


def test_baggage_comes_in_beside_each_form_and_without_any() -> None:
    for headers in (
        {"b3": f"{TRACE}-{SPAN}-1"},
        {"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN},
        {"traceparent": f"00-{TRACE}-{SPAN}-01"},
    ):
        parent = propagation.incoming({**headers, "baggage": BAGGAGE}).parent
        assert parent is not None
        assert parent.baggage == BAGGAGE
    assert propagation.incoming({"baggage": BAGGAGE}).baggage == BAGGAGE


def test_baggage_in_two_headers_is_one_list() -> None:
    headers = CIMultiDict([("baggage", "a=1"), ("b3", "1"), ("Baggage", "b=2")])

    assert propagation.incoming(headers).baggage == "a=1,b=2"


@pytest.mark.parametrize(
    "unfit", ["x" * (LONGEST_BAGGAGE + 1), "a=\u00e9", "a=1\r\nb3: 0", "a=\x00"]
)
def test_baggage_that_no_header_can_be_is_left_behind(unfit: str) -> None:
    context = propagation.incoming({"b3": f"{TRACE}-{SPAN}-1", "baggage": unfit})

    assert context.parent is not None
    assert context.parent.baggage == ""
