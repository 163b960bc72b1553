"""Spans of this process: who called whom, when, for how long, and whether it failed.

py-zipkin gives the shapes (`Span`, `Endpoint`, its JSON encoder).  Its own context manager emits
a root span only as SERVER or CLIENT and encodes on the request's path; a message has PRODUCER and
CONSUMER spans, and ours leave through a queue, so `Tracer.span` takes its place.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import Any

from py_zipkin import Kind
from py_zipkin.encoding import Endpoint, Span

from chassis.core.errors import first_line
from chassis.observability import propagation
from chassis.observability.propagation import (
    Headers,
    IncomingTrace,
    TraceContext,
    incoming,
    of_text,
    to_text,
)
from chassis.observability.sampling import Sampler

__all__ = [
    "Kind",
    "TraceContext",
    "Tracer",
    "current",
    "incoming",
    "of_text",
    "outgoing",
    "to_text",
]

# An attribute of an exception: the trace in which a span has told of it.
RECORDED_IN = "_recorded_in_trace"

_current: ContextVar[TraceContext | None] = ContextVar("span", default=None)


def recorded_error(error: BaseException, context: TraceContext) -> None:
    """No span above in the trace of `context` need tell of `error`."""
    setattr(error, RECORDED_IN, context.trace_id)


def current() -> TraceContext | None:
    """The span that this thread or task is in."""
    return _current.get()


@contextmanager
def continued(attrs: TraceContext | None) -> Iterator[None]:
    """What is done within belongs to the span `attrs`, which somebody else has opened."""
    token = _current.set(attrs)
    try:
        yield
    finally:
        _current.reset(token)


def outgoing() -> dict[str, str]:
    """The headers that continue the current span at the other end of a call."""
    return propagation.outgoing(_current.get())


class ActiveSpan:
    """A span that is still open, as long as its context: what is known of it so far."""

    __slots__ = ("_token", "_tracer", "attrs", "kind", "name", "remote", "started", "tags")

    def __init__(self, tracer: "Tracer", attrs: TraceContext, name: str, kind: Kind) -> None:
        self._tracer = tracer
        self.attrs = attrs
        self.name = name
        self.kind = kind
        self.tags: dict[str, str] = {}
        self.remote: tuple[str, str | None, int | None] | None = None
        self.started = time.time()
        self._token: Token[TraceContext | None] | None = None

    def __enter__(self) -> "ActiveSpan":
        self._token = _current.set(self.attrs)
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if error is not None:
            self.fail_with(error)
        if self._token is not None:
            _current.reset(self._token)
        self._tracer.finish(self)

    def fail(self, reason: str) -> None:
        self.tags["error"] = reason

    def fail_with(self, error: BaseException, reason: str = "") -> None:
        """Tag `reason` or its text, unless a span further within has: that is where it arose."""
        if getattr(error, RECORDED_IN, None) == self.attrs.trace_id:
            return
        self.fail(reason or first_line(error))
        if self.attrs.is_sampled:
            recorded_error(error, self.attrs)

    def called(self, service: str, host: str | None = None, port: int | None = None) -> None:
        self.remote = (service, host, port)


class _NoTags(dict[str, str]):
    """Forgets what it is told: nobody will read it."""

    def __setitem__(self, _name: str, _value: str) -> None:
        return

    def setdefault(self, _name: str, value: str = "") -> str:
        return value


NO_TAGS = _NoTags()


class UnsampledSpan(ActiveSpan):
    """A step within a trace that is not sampled: nothing is built for it, not even an id.

    Whom it calls continues the span above it.
    """

    __slots__ = ()

    def __init__(self, attrs: TraceContext) -> None:
        self.attrs = attrs
        self.tags = NO_TAGS
        self._token = None

    def __enter__(self) -> "UnsampledSpan":
        if _current.get() is not self.attrs:
            self._token = _current.set(self.attrs)
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _current.reset(self._token)


class Tracer:
    """Opens spans and hands the finished ones of sampled traces to `sink`."""

    def __init__(
        self, service: str, sampler: Sampler, sink: Callable[[Span], Any], instance: str = ""
    ) -> None:
        self.endpoint = Endpoint(service, "127.0.0.1", None, None)
        self._own_tags = {"instance": instance} if instance else {}
        self._sampler = sampler
        self._sink = sink

    def listens_on(self, host: str, port: int) -> None:
        self.endpoint = Endpoint(self.endpoint.service_name, host, None, port)

    def serve(self, name: str, headers: Headers, path: str = "") -> ActiveSpan:
        """The SERVER span of a request for `path`: continues the caller's trace or begins one."""
        return self.serve_within(incoming(headers), name, path)

    def serve_within(self, trace: IncomingTrace, name: str, path: str = "") -> ActiveSpan:
        """The same for whoever has looked for the caller's trace already."""
        parent, sampled, baggage = trace
        attrs = self.new_trace(sampled, baggage, path) if parent is None else _below(parent)
        return ActiveSpan(self, attrs, name, Kind.SERVER)

    def span(self, name: str, kind: Kind, parent: TraceContext | None = None) -> ActiveSpan:
        """A span below `parent`, or below the current one, or of a new trace."""
        attrs = self.child_of(parent or _current.get())
        return ActiveSpan(self, attrs, name, kind) if attrs.is_sampled else UnsampledSpan(attrs)

    def report(
        self,
        name: str,
        kind: Kind,
        attrs: TraceContext,
        started: float,
        remote: str | None,
        tags: Mapping[str, str],
        ended: float | None = None,
    ) -> None:
        """A span that was not a block of code, ended just now: one message among a batch, say."""
        if not attrs.is_sampled:
            return
        done = ActiveSpan(self, attrs, name, kind)
        done.started = started
        done.tags.update(tags)
        if remote is not None:
            done.called(remote)
        self.emit(done, ended)

    def child_of(self, parent: TraceContext | None) -> TraceContext:
        """Of a trace that is not sampled the parent itself."""
        if parent is None:
            return self.new_trace()
        return _below(parent) if parent.is_sampled else parent

    def new_trace(
        self, sampled: bool | None = None, baggage: str = "", path: str = ""
    ) -> TraceContext:
        """The attributes of a root span, `sampled` or as the sampler decides."""
        if sampled is None:
            sampled = self._sampler.samples_new_trace(path)
        # As py-zipkin does: the time comes first, so that AWS X-Ray takes it.
        ids = f"{int(time.time()):08x}{random.getrandbits(160):040x}"
        return TraceContext(ids[:32], ids[32:], None, "0", sampled, baggage)

    def finish(self, span: ActiveSpan) -> None:
        """Emit it when its trace is sampled, or when it is one to be kept all the same."""
        if span.attrs.is_sampled or (
            span.kind is Kind.SERVER
            and self._sampler.keeps("error" in span.tags, time.time() - span.started)
        ):
            self.emit(span)

    def emit(self, span: ActiveSpan, ended: float | None = None) -> None:
        attrs = span.attrs
        ended = time.time() if ended is None else ended
        self._sink(
            Span(
                trace_id=attrs.trace_id,
                name=span.name,
                parent_id=attrs.parent_span_id,
                span_id=attrs.span_id,
                kind=span.kind,
                timestamp=span.started,
                duration=max(ended - span.started, 1e-6),
                local_endpoint=self.endpoint,
                remote_endpoint=_endpoint(*span.remote) if span.remote else None,
                debug=attrs.flags == "1",
                tags={**self._own_tags, **span.tags},
            )
        )


def _below(parent: TraceContext) -> TraceContext:
    trace_id, above, _, flags, is_sampled, baggage = parent
    span_id = f"{random.getrandbits(64):016x}"
    return TraceContext(trace_id, span_id, above, flags, is_sampled, baggage)


def _endpoint(service: str, host: str | None, port: int | None) -> Endpoint:
    return Endpoint(service, host, None, port)
