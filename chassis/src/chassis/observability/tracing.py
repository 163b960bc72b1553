"""Spans of this process: who called whom, when, for how long, and whether it failed.

py-zipkin gives the shapes (`ZipkinAttrs`, `Span`, its JSON encoder).  Its B3 parser takes ids of
zeros, and whatever else stands between dashes, for which Zipkin refuses a whole batch: ours does
not.  Its own context manager emits a root span only as SERVER or CLIENT and encodes on the
request's path; a message has PRODUCER and CONSUMER spans, and ours leave through a queue, so
`Tracer.span` takes its place.
"""

import random
import re
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, NamedTuple, Protocol

from py_zipkin import Kind
from py_zipkin.encoding import Endpoint, Span
from py_zipkin.util import ZipkinAttrs

from chassis.core.live import Live

__all__ = [
    "IncomingTrace",
    "Kind",
    "Tracer",
    "ZipkinAttrs",
    "current",
    "incoming",
    "outgoing",
    "single",
]

# Ids of nothing but zeros are invalid (W3C Trace Context §3.2.2.3 and §3.2.2.4).
TRACE_ID = re.compile(r"(?!0+\Z)(?:[0-9a-f]{16}|[0-9a-f]{32})")
SPAN_ID = re.compile(r"(?!0+\Z)[0-9a-f]{16}")
# A version after 00 may have more fields; ff is none (§3.2.2.1 and §3.2.4).
TRACEPARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL
)
B3_STATES = {"0": False, "1": True, "d": True}
B3_WORDS = {"true": "1", "false": "0"}

_current: ContextVar[ZipkinAttrs | None] = ContextVar("span", default=None)


def current() -> ZipkinAttrs | None:
    """The span that this thread or task is in."""
    return _current.get()


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


def outgoing() -> dict[str, str]:
    """The B3 headers that continue the current span at the other end of a call."""
    attrs = _current.get()
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


class ActiveSpan:
    """A span that is still open, as long as its context: what is known of it so far."""

    __slots__ = ("_token", "_tracer", "attrs", "kind", "name", "remote", "started", "tags")

    def __init__(self, tracer: "Tracer", attrs: ZipkinAttrs, name: str, kind: Kind) -> None:
        self._tracer = tracer
        self.attrs = attrs
        self.name = name
        self.kind = kind
        self.tags: dict[str, str] = {}
        self.remote: tuple[str, str | None, int | None] | None = None
        self.started = time.time()

    def __enter__(self) -> "ActiveSpan":
        self._token = _current.set(self.attrs)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self.tags.setdefault("error", str(error) or type(error).__name__)
        _current.reset(self._token)
        if self.attrs.is_sampled:
            self._tracer.emit(self)

    def fail(self, reason: str) -> None:
        self.tags["error"] = reason

    def called(self, service: str, host: str | None = None, port: int | None = None) -> None:
        self.remote = (service, host, port)


class Tracer:
    """Opens spans and hands the finished ones of sampled traces to `sink`.

    `probability` (0 to 1) is that of a new trace to be sampled.
    """

    def __init__(self, service: str, probability: Live[float], sink: Callable[[Span], Any]) -> None:
        self.endpoint = Endpoint(service, "127.0.0.1", None, None)
        self._probability = probability
        self._sink = sink

    def listens_on(self, host: str, port: int) -> None:
        self.endpoint = Endpoint(self.endpoint.service_name, host, None, port)

    def serve(self, name: str, headers: Headers) -> ActiveSpan:
        """The SERVER span of a request: continues the caller's trace or begins one."""
        parent, sampled = incoming(headers)
        return ActiveSpan(self, self.child_of(parent, sampled), name, Kind.SERVER)

    def span(self, name: str, kind: Kind, parent: ZipkinAttrs | None = None) -> ActiveSpan:
        """A span below `parent`, or below the current one, or of a new trace."""
        return ActiveSpan(self, self.child_of(parent or _current.get()), name, kind)

    def report(
        self,
        name: str,
        kind: Kind,
        attrs: ZipkinAttrs,
        started: float,
        remote: str,
        tags: Mapping[str, str],
    ) -> None:
        """A span that was not a block of code: one message among a batch, say."""
        done = ActiveSpan(self, attrs, name, kind)
        done.started = started
        done.tags.update(tags)
        done.called(remote)
        self.emit(done)

    def child_of(self, parent: ZipkinAttrs | None, sampled: bool | None = None) -> ZipkinAttrs:
        span_id = f"{random.getrandbits(64):016x}"
        if parent is not None:
            trace_id, above, _, flags, is_sampled = parent
            return ZipkinAttrs(trace_id, span_id, above, flags, is_sampled)
        if sampled is None:
            sampled = random.random() < self._probability.value
        # As py-zipkin does: the time comes first, so that AWS X-Ray takes it.
        trace_id = f"{int(time.time()):08x}{random.getrandbits(96):024x}"
        return ZipkinAttrs(trace_id, span_id, None, "0", sampled)

    def emit(self, span: ActiveSpan) -> None:
        attrs = span.attrs
        if not attrs.is_sampled:
            return
        self._sink(
            Span(
                trace_id=attrs.trace_id,
                name=span.name,
                parent_id=attrs.parent_span_id,
                span_id=attrs.span_id,
                kind=span.kind,
                timestamp=span.started,
                duration=max(time.time() - span.started, 1e-6),
                local_endpoint=self.endpoint,
                remote_endpoint=_endpoint(*span.remote) if span.remote else None,
                debug=attrs.flags == "1",
                tags=dict(span.tags),
            )
        )


def _endpoint(service: str, host: str | None, port: int | None) -> Endpoint:
    return Endpoint(service, host, None, port)
