"""The way of finished spans to Zipkin."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from py_zipkin import Kind

from chassis.core.live import Live
from chassis.observability import zipkin
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Tracer
from chassis.observability.zipkin import ZipkinReporter


def test_spans_that_do_not_fit_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipkin, "QUEUE_SIZE", 2)
    sender = ZipkinReporter(Live("http://127.0.0.1:1/api/v2/spans"))
    tracer = Tracer("x", Sampler(Live(SamplingRules())), sender.put)
    for _ in range(5):
        with tracer.span("work", Kind.CLIENT):
            pass
    assert sender.dropped == 3

    stop = threading.Event()
    stop.set()
    sender.run(stop)

    assert (sender.sent, sender.dropped) == (0, 5)


class StrictZipkin(ThreadingHTTPServer):
    """Answers 400 to every batch with a span named `bad` in it, as Zipkin does for a bad id."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), StrictHandler)
        self.names: list[str] = []
        self.posts = 0
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/api/v2/spans"


class StrictHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StrictZipkin

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        self.server.posts += 1
        spans = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        names = [span["name"] for span in spans]
        is_good = self.path == "/api/v2/spans" and "bad" not in names
        if is_good:
            self.server.names += names
        self.send_response(202 if is_good else 400)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def strict() -> Iterator[StrictZipkin]:
    with StrictZipkin() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def report(url: str, names: list[str]) -> ZipkinReporter:
    sender = ZipkinReporter(Live(url))
    tracer = Tracer("x", Sampler(Live(SamplingRules())), sender.put)
    for name in names:
        with tracer.span(name, Kind.CLIENT):
            pass
    stop = threading.Event()
    stop.set()
    sender.run(stop)
    return sender


def test_a_span_that_zipkin_refuses_takes_no_other_with_it(strict: StrictZipkin) -> None:
    good = [f"work {number}" for number in range(499)]

    sender = report(strict.url, [*good[:200], "bad", *good[200:]])

    assert strict.names == good
    assert (sender.sent, sender.dropped) == (499, 1)


def test_a_span_that_cannot_be_written_takes_no_other_with_it(strict: StrictZipkin) -> None:
    no_text: Any = b"\xff"
    sender = report(strict.url, ["first", no_text, "last"])

    assert strict.names == ["first", "last"]
    assert (sender.sent, sender.dropped) == (2, 1)


def test_a_server_that_refuses_everything_is_not_asked_for_ever(strict: StrictZipkin) -> None:
    sender = report(strict.url, ["bad"] * 500)

    assert strict.posts == zipkin.POSTS_PER_BATCH
    assert (sender.sent, sender.dropped) == (0, 500)


def test_all_posts_go_over_one_kept_connection(strict: StrictZipkin) -> None:
    sender = report(strict.url, [f"work {number}" for number in range(3 * zipkin.BATCH)])

    assert (strict.posts, strict.connections, sender.sent) == (3, 1, 3 * zipkin.BATCH)


def test_spans_made_before_zipkin_first_answers_reach_it(strict: StrictZipkin) -> None:
    address = Live("http://127.0.0.1:1/api/v2/spans")
    sender = ZipkinReporter(address)
    tracer = Tracer("x", Sampler(Live(SamplingRules())), sender.put)
    names = [f"work {number}" for number in range(zipkin.BATCH + 1)]
    for name in names:
        with tracer.span(name, Kind.CLIENT):
            pass
    assert not sender._post_all()
    assert (sender.sent, sender.dropped) == (0, 0)

    address.set(strict.url)
    assert sender._post_all()
    assert strict.names == names
    assert (sender.sent, sender.dropped) == (len(names), 0)


def test_spans_kept_for_zipkin_stay_within_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipkin, "QUEUE_SIZE", 2)
    sender = ZipkinReporter(Live("http://127.0.0.1:1/api/v2/spans"))
    tracer = Tracer("x", Sampler(Live(SamplingRules())), sender.put)
    for _ in range(5):
        with tracer.span("work", Kind.CLIENT):
            pass
        assert not sender._post_all()

    assert (len(sender._unsent) + sender._queue.qsize(), sender.dropped) == (2, 3)


def test_spans_that_come_after_zipkins_first_answer_are_dropped_while_it_is_away(
    strict: StrictZipkin,
) -> None:
    address = Live(strict.url)
    sender = ZipkinReporter(address)
    tracer = Tracer("x", Sampler(Live(SamplingRules())), sender.put)
    with tracer.span("first", Kind.CLIENT):
        pass
    assert sender._post_all()

    address.set("http://127.0.0.1:1/api/v2/spans")
    with tracer.span("second", Kind.CLIENT):
        pass
    assert not sender._post_all()
    assert (sender.sent, sender.dropped) == (1, 1)


def test_an_address_that_is_none_costs_spans_and_nothing_else() -> None:
    sender = report("http://a..b:9411/api/v2/spans", ["work"])

    assert (sender.sent, sender.dropped) == (0, 1)
