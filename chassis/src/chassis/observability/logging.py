"""The log of a process: each line carries the id of the trace that it belongs to."""

import logging
from collections.abc import Sequence

from chassis.observability import tracing
from chassis.observability.tracing import TraceContext

FORMAT = "%(asctime)s %(levelname)-7s [%(threadName)s] [%(trace_id)s] %(name)s: %(message)s"
NO_TRACE = "-"


class TraceIdFilter(logging.Filter):
    """Lets every record through, with the trace that is current where it was written.

    Who logs for a request from outside it says so: `extra=of_trace(…)`.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "trace_id"):
            attrs = tracing.current()
            record.trace_id = attrs.trace_id if attrs else NO_TRACE
        return True


def of_trace(attrs: TraceContext | None) -> dict[str, str]:
    """The `extra` of a line that belongs to this trace, whatever is current."""
    return {"trace_id": attrs.trace_id if attrs and attrs.trace_id else NO_TRACE}


def log_together(log: logging.Logger, lines: Sequence[tuple[str, TraceContext | None]]) -> None:
    """What happened at once, each with its trace, as one line: of all that is done, the dearest.

    Of one alone it is the line that it would be otherwise; of many, each names its trace itself.
    """
    if not lines or not log.isEnabledFor(logging.INFO):
        return
    text, trace = lines[0]
    if len(lines) > 1:
        text = "; ".join(f"{text} [{of_trace(attrs)['trace_id']}]" for text, attrs in lines)
    log.info("%s", text, extra=of_trace(trace))


def configure() -> None:
    """To the standard error, from INFO on until the configuration says otherwise."""
    handler = logging.StreamHandler()
    handler.addFilter(TraceIdFilter())
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=[handler])
