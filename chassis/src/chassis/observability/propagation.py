"""Trace context in headers: B3, single and many, and W3C's traceparent.

py-zipkin's B3 parser takes ids of zeros, and whatever else stands between dashes, for which Zipkin
refuses a whole batch: this one does not.
"""

import re
from typing import NamedTuple, Protocol

from py_zipkin.util import ZipkinAttrs

__all__ = ["Headers", "IncomingTrace", "ZipkinAttrs", "incoming", "outgoing", "single"]

# Ids of nothing but zeros are invalid (W3C Trace Context §3.2.2.3 and §3.2.2.4).
TRACE_ID = re.compile(r"(?!0+\Z)(?:[0-9a-f]{16}|[0-9a-f]{32})")
SPAN_ID = re.compile(r"(?!0+\Z)[0-9a-f]{16}")
# A version after 00 may have more fields; ff is none (§3.2.2.1 and §3.2.4).
TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL
)
B3_STATES = {"0": False, "1": True, "d": True}
B3_WORDS = {"true": "1", "false": "0"}


class Headers(Protocol):
    """What WSGI's and aiohttp's case-insensitive headers have in common."""

    def get(self, key: str, /) -> str | None: ...
    def __contains__(self, key: str, /) -> bool: ...


class IncomingTrace(NamedTuple):
    """The trace context of a request: a span to continue, or merely whether to sample."""

    parent: ZipkinAttrs | None = None
    sampled: bool | None = None


# Without any of these there is nothing to be parsed.
PROPAGATION_HEADERS = ("b3", "X-B3-TraceId", "X-B3-Sampled", "X-B3-Flags", "traceparent")
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
    return IncomingTrace(ZipkinAttrs(trace_id, span_id, parent_id, flags, sampled))


def _traceparent(value: str | None) -> ZipkinAttrs | None:
    match = TRACEPARENT.fullmatch(value or "")
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "00" and more is not None:
        return None
    if not (TRACE_ID.fullmatch(trace_id) and SPAN_ID.fullmatch(span_id)):
        return None
    return ZipkinAttrs(trace_id, span_id, None, "0", bool(int(flags, 16) & 1))


def _only(headers: Headers, name: str) -> str | None:
    """The header's value, unless it came more than once: aiohttp keeps all, WSGI joins them."""
    getall = getattr(headers, "getall", None)
    if getall is not None and len(getall(name, ())) > 1:
        return None
    return headers.get(name)


def outgoing(attrs: ZipkinAttrs | None) -> dict[str, str]:
    """The B3 headers that continue the span `attrs` at the other end of a call."""
    if attrs is None or attrs.span_id is None:
        return {}
    headers = {
        "X-B3-TraceId": attrs.trace_id,
        "X-B3-SpanId": attrs.span_id,
        "X-B3-Sampled": "1" if attrs.is_sampled else "0",
    }
    if attrs.parent_span_id:
        headers["X-B3-ParentSpanId"] = attrs.parent_span_id
    if attrs.flags == "1":
        headers["X-B3-Flags"] = "1"
    return headers


def single(attrs: ZipkinAttrs) -> str:
    """The single `b3` header of messages, without a parent as the convention has it."""
    state = "d" if attrs.flags == "1" else "1" if attrs.is_sampled else "0"
    return f"{attrs.trace_id}-{attrs.span_id}-{state}"
