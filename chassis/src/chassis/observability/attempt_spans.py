"""The attempts of one call in its trace: a span for each, as soon as there is more than one.

`http.resend_count` is OpenTelemetry's word: 0 at the first, then how often it was tried again.
"""

import time

from chassis.core.errors import first_line
from chassis.observability import tracing
from chassis.observability.tracing import Kind, Tracer


class AttemptSpans:
    """Of the call whose span is the current one."""

    __slots__ = ("_count", "_instance", "_started", "_tracer")

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._count = 0

    def begins(self, instance_id: str) -> None:
        self._instance = instance_id
        self._started = time.time()

    def failed(self, error: Exception) -> None:
        self._report({"error": first_line(error) or type(error).__name__})

    def answered(self) -> None:
        """One that is answered at once needs no span beside the call's own."""
        if self._count:
            self._report({})

    def _report(self, tags: dict[str, str]) -> None:
        parent = tracing.current()
        if parent is not None and parent.is_sampled:
            self._tracer.report(
                "attempt",
                Kind.LOCAL,
                self._tracer.child_of(parent),
                self._started,
                remote=None,
                tags={
                    "http.resend_count": str(self._count),
                    "called.instance": self._instance,
                    **tags,
                },
            )
        self._count += 1
