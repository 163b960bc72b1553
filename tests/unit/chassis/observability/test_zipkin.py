"""The way of finished spans to Zipkin."""

import threading

import pytest
from py_zipkin import Kind

from chassis.core.live import Live
from chassis.observability import zipkin
from chassis.observability.tracing import Tracer
from chassis.observability.zipkin import ZipkinReporter


def test_spans_that_do_not_fit_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipkin, "QUEUE_SIZE", 2)
    sender = ZipkinReporter(Live("http://127.0.0.1:1/api/v2/spans"))
    tracer = Tracer("x", Live(1.0), sender.put)
    for _ in range(5):
        with tracer.span("work", Kind.CLIENT):
            pass
    assert sender.dropped == 3

    stop = threading.Event()
    stop.set()
    sender.run(stop)

    assert (sender.sent, sender.dropped) == (0, 5)
