"""The log of a process: each line carries the id of the trace that it belongs to."""

import logging

from chassis.observability import tracing

FORMAT = "%(asctime)s %(levelname)-7s [%(threadName)s] [%(trace_id)s] %(name)s: %(message)s"
NO_TRACE = "-"


class TraceIdFilter(logging.Filter):
    """Lets every record through, with the trace that is current where it was written.

    Who logs for a request from outside it says so: `extra={"trace_id": …}`.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "trace_id"):
            attrs = tracing.current()
            record.trace_id = attrs.trace_id if attrs else NO_TRACE
        return True


def configure() -> None:
    """To the standard error, from INFO on until the configuration says otherwise."""
    handler = logging.StreamHandler()
    handler.addFilter(TraceIdFilter())
    logging.basicConfig(level=logging.INFO, format=FORMAT, handlers=[handler])
