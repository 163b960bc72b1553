"""Trace context in headers: B3, single and many, and W3C's traceparent and baggage.

py-zipkin's B3 parser takes ids of zeros, and whatever else stands between dashes, for which Zipkin
refuses a whole batch: this one does not.
"""

import re
from typing import NamedTuple, Protocol

# Ids of nothing but zeros are invalid (W3C Trace Context §3.2.2.3 and §3.2.2.4).
TRACE_ID = re.compile(r"(?!0+\Z)(?:[0-9a-f]{16}|[0-9a-f]{32})")
SPAN_ID = re.compile(r"(?!0+\Z)[0-9a-f]{16}")
# A version after 00 may have more fields; ff is none (§3.2.2.1 and §3.2.4).
TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL
)
B3_STATES = {"0": False, "1": True, "d": True}
B3_WORDS = {"true": "1", "false": "0"}
# What is longer need not be passed on (W3C Baggage §3.3.2), and every record would carry it.
LONGEST_BAGGAGE = 8192
BAGGAGE = re.compile(r"[\t\x20-\x7e]+")


class Headers(Protocol):
    """What WSGI's and aiohttp's case-insensitive headers have in common."""

    def get(self, key: str, /) -> str | None: ...
    def __contains__(self, key: str, /) -> bool: ...


class TraceContext(NamedTuple):
    """What makes a span part of its trace, in B3's words, and what its trace carries along.

    Ids are lower-case hex; `flags` is "1" for debug, else "0"; `baggage` is W3C's header as it
    came, or empty.
    """

    trace_id: str
    span_id: str
    parent_span_id: str | None
    flags: str
    is_sampled: bool
    baggage: str = ""


class IncomingTrace(NamedTuple):
    """The trace context of a request: a span to continue, or merely whether to sample."""

    parent: TraceContext | None = None
    sampled: bool | None = None
    baggage: str = ""


# Without any of these there is nothing to be parsed.
PROPAGATION_HEADERS = ("b3", "X-B3-TraceId", "X-B3-Sampled", "X-B3-Flags", "traceparent", "baggage")
NO_CONTEXT = IncomingTrace()


def incoming(headers: Headers) -> IncomingTrace:
    """B3, single header or many, else W3C's traceparent.  What is malformed is ignored.

    A B3 that says only whether to sample says it of the traceparent beside it as well.
    """
    for name in PROPAGATION_HEADERS:
        if name in headers:
            return _extract(headers)
    return NO_CONTEXT


def _extract(headers: Headers) -> IncomingTrace:
    context = _context(headers)
    baggage = _baggage(headers)
    if not baggage:
        return context
    parent = context.parent and context.parent._replace(baggage=baggage)
    return context._replace(parent=parent, baggage=baggage)


def _context(headers: Headers) -> IncomingTrace:
    b3 = _b3_single(headers.get("b3") or "") if "b3" in headers else _b3_multi(headers)
    if b3.parent is not None:
        return b3
    parent = _traceparent(_only(headers, "traceparent"))
    if parent is None:
        return b3
    if b3.sampled is not None:
        parent = parent._replace(is_sampled=b3.sampled)
    return IncomingTrace(parent)


def _b3_single(value: str) -> IncomingTrace:
    """`{trace}-{span}-{state}-{parent}`, the last two optional, or the state alone."""
    fields = value.split("-")
    if len(fields) == 1:
        return IncomingTrace(sampled=B3_STATES.get(value))
    if len(fields) > 4:
        return NO_CONTEXT
    trace_id, span_id = fields[:2]
    state = fields[2] if len(fields) > 2 else ""
    return _b3(trace_id, span_id, state or None, fields[3] if len(fields) > 3 else None)


def _b3_multi(headers: Headers) -> IncomingTrace:
    state = headers.get("X-B3-Sampled")
    if headers.get("X-B3-Flags") == "1":
        state = "d"
    elif state is not None:
        state = B3_WORDS.get(state, state)
    return _b3(
        headers.get("X-B3-TraceId"),
        headers.get("X-B3-SpanId"),
        state,
        headers.get("X-B3-ParentSpanId"),
    )


def _b3(
    trace_id: str | None, span_id: str | None, state: str | None, parent_id: str | None
) -> IncomingTrace:
    if state is not None and state not in B3_STATES:
        return NO_CONTEXT
    if (
        not (trace_id and TRACE_ID.fullmatch(trace_id))
        or not (span_id and SPAN_ID.fullmatch(span_id))
        or (parent_id is not None and not SPAN_ID.fullmatch(parent_id))
    ):
        return IncomingTrace(sampled=None if state is None else B3_STATES[state])
    # Who leaves the decision to us has it sampled.
    sampled = True if state is None else B3_STATES[state]
    flags = "1" if state == "d" else "0"
    return IncomingTrace(TraceContext(trace_id, span_id, parent_id, flags, sampled))


def _traceparent(value: str | None) -> TraceContext | None:
    match = TRACEPARENT.fullmatch(value or "")
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "00" and more is not None:
        return None
    if not (TRACE_ID.fullmatch(trace_id) and SPAN_ID.fullmatch(span_id)):
        return None
    return TraceContext(trace_id, span_id, None, "0", bool(int(flags, 16) & 1))


def _baggage(headers: Headers) -> str:
    """The list of all such headers; none when it is too long or no text that a header can be."""
    getall = getattr(headers, "getall", None)
    value = ",".join(getall("baggage", ())) if getall else headers.get("baggage") or ""
    return value if len(value) <= LONGEST_BAGGAGE and BAGGAGE.fullmatch(value) else ""


def _only(headers: Headers, name: str) -> str | None:
    """The header's value, unless it came more than once: aiohttp keeps all, WSGI joins them."""
    getall = getattr(headers, "getall", None)
    if getall is not None and len(getall(name, ())) > 1:
        return None
    return headers.get(name)


def outgoing(context: TraceContext | None) -> dict[str, str]:
    """The headers that continue the span `context` at the other end of a call, in all forms."""
    if context is None:
        return {}
    trace_id, span_id, parent_span_id, flags, is_sampled, baggage = context
    headers = {
        "X-B3-TraceId": trace_id,
        "X-B3-SpanId": span_id,
        "X-B3-Sampled": "1" if is_sampled else "0",
        "b3": single(context),
        # B3's short ids are W3C's with zeros before them.
        "traceparent": f"00-{trace_id:0>32}-{span_id}-{'01' if is_sampled else '00'}",
    }
    if parent_span_id:
        headers["X-B3-ParentSpanId"] = parent_span_id
    if flags == "1":
        headers["X-B3-Flags"] = "1"
    if baggage:
        headers["baggage"] = baggage
    return headers


def single(context: TraceContext) -> str:
    """The single `b3` header, without a parent as the convention has it for messages."""
    state = "d" if context.flags == "1" else "1" if context.is_sampled else "0"
    return f"{context.trace_id}-{context.span_id}-{state}"


def to_record(context: TraceContext) -> list[tuple[str, str]]:
    """The headers of a message that continues `context`."""
    headers = [("b3", single(context))]
    if context.baggage:
        headers.append(("baggage", context.baggage))
    return headers


def to_text(context: TraceContext) -> str:
    """`context` in one line, for a column: its `b3` and, behind a space, its baggage."""
    return f"{single(context)} {context.baggage}".rstrip()


def of_text(text: str) -> TraceContext | None:
    """What `to_text` has written."""
    b3, _, baggage = text.partition(" ")
    return incoming({"b3": b3, "baggage": baggage}).parent
