"""A line of the log is found by the trace that it belongs to, whatever its level."""

import io
import logging

import pytest

from chassis.core.live import Live
from chassis.observability.logging import FORMAT, TraceIdFilter
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Kind, Tracer

LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


@pytest.fixture
def log() -> tuple[logging.Logger, io.StringIO]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter(FORMAT))
    handler.addFilter(TraceIdFilter())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger, written


@pytest.mark.parametrize("sampled", [True, False])
def test_each_line_within_a_request_carries_its_trace_id(
    log: tuple[logging.Logger, io.StringIO], sampled: bool
) -> None:
    logger, written = log
    tracer = Tracer("s", Sampler(Live(SamplingRules(1.0 if sampled else 0.0))), lambda _: None)

    with tracer.serve("get /x", {}) as span, tracer.span("get /y", Kind.CLIENT):
        for level in LEVELS:
            logger.log(level, "within")

    lines = written.getvalue().splitlines()
    assert len(lines) == len(LEVELS)
    assert all(f"[{span.attrs.trace_id}] test: within" in line for line in lines)


def test_a_line_outside_of_requests_has_none_and_may_name_one(
    log: tuple[logging.Logger, io.StringIO],
) -> None:
    logger, written = log

    logger.info("outside")
    logger.info("for a request that has ended", extra={"trace_id": "463ac35c9f6413ad"})

    outside, named = written.getvalue().splitlines()
    assert "[-] test: outside" in outside
    assert "[463ac35c9f6413ad] test: for a request" in named
