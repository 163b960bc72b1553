"""The way of finished spans to Zipkin."""

import json
import threading
from typing import Any

import pytest
import requests
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


class StrictZipkin:
    """Answers 400 to every batch with a span named `bad` in it, as Zipkin does for a bad id."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.posts = 0

    def post(self, _session: requests.Session, _url: str, data: str, **_: Any) -> requests.Response:
        self.posts += 1
        names = [span["name"] for span in json.loads(data)]
        response = requests.Response()
        response.status_code = 400 if "bad" in names else 202
        if response.ok:
            self.names += names
        return response


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> StrictZipkin:
    server = StrictZipkin()
    monkeypatch.setattr(
        requests.Session, "post", lambda session, url, **rest: server.post(session, url, **rest)
    )
    return server


def report(names: list[str]) -> ZipkinReporter:
    sender = ZipkinReporter(Live("http://127.0.0.1:1/api/v2/spans"))
    tracer = Tracer("x", Live(1.0), sender.put)
    for name in names:
        with tracer.span(name, Kind.CLIENT):
            pass
    stop = threading.Event()
    stop.set()
    sender.run(stop)
    return sender


def test_a_span_that_zipkin_refuses_takes_no_other_with_it(strict: StrictZipkin) -> None:
    good = [f"work {number}" for number in range(499)]

    sender = report([*good[:200], "bad", *good[200:]])

    assert strict.names == good
    assert (sender.sent, sender.dropped) == (499, 1)


def test_a_server_that_refuses_everything_is_not_asked_for_ever(strict: StrictZipkin) -> None:
    sender = report(["bad"] * 500)

    assert strict.posts == zipkin.POSTS_PER_BATCH
    assert (sender.sent, sender.dropped) == (0, 500)
