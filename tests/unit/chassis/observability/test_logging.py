"""A line of the log is JSON in ECS's names, and is found by the trace that it belongs to."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.core.environment import Environment
from chassis.core.live import Live
from chassis.observability import logging as ecs_logging
from chassis.observability.access_log import AccessLog, AnsweredRequest
from chassis.observability.logging import Entry, log_together, of_trace
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Kind, TraceContext, Tracer

LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
CONTEXT = TraceContext("463ac35c9f6413ad", "a2fb4a1d1a96d312", None, "0", True)
log = logging.getLogger("test")


class Stream(io.StringIO):
    terminal = False

    def isatty(self) -> bool:
        return self.terminal

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def written() -> Iterator[Stream]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = Stream()
    ecs_logging.configure(Environment.read("order-service", {"FUSEBOX_INSTANCE": "o-2"}), stream)
    root.setLevel(logging.DEBUG)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_says_when_where_and_how_grave(written: Stream) -> None:
    log.warning("%d of %d", 1, 2, extra={"order.id": "7"})

    [line] = written.lines()
    assert line["@timestamp"].endswith("Z")
    assert line["log.level"] == "warning"
    assert line["message"] == "1 of 2"
    assert (line["service.name"], line["service.node.name"]) == ("order-service", "o-2")
    assert line["log.logger"] == "test"
    assert line["order.id"] == "7"


@pytest.mark.parametrize("sampled", [True, False])
def test_each_line_within_a_request_carries_its_trace_id(written: Stream, sampled: bool) -> None:
    tracer = Tracer("s", Sampler(Live(SamplingRules(1.0 if sampled else 0.0))), lambda _: None)

    with tracer.serve("get /x", {}) as span, tracer.span("get /y", Kind.CLIENT):
        for level in LEVELS:
            log.log(level, "within")

    assert [line["trace.id"] for line in written.lines()] == [span.attrs.trace_id] * len(LEVELS)


def test_a_line_outside_of_requests_has_none_and_may_name_one(written: Stream) -> None:
    log.info("outside")
    log.info("for a request that has ended", extra=of_trace(CONTEXT))

    outside, named = written.lines()
    assert "trace.id" not in outside
    assert (named["trace.id"], named["span.id"]) == (CONTEXT.trace_id, CONTEXT.span_id)


def test_what_happened_at_once_is_one_line_with_the_trace_of_each(written: Stream) -> None:
    second = CONTEXT._replace(trace_id="f" * 16)

    log_together(log, [Entry("one", CONTEXT, {"order.id": "1"}), Entry("two", second)])

    [line] = written.lines()
    assert line["message"] == "one; two"
    assert line["trace.id"] == [CONTEXT.trace_id, second.trace_id]
    assert line["order.id"] == ["1", ""]


def test_what_happened_alone_is_a_line_like_any_other(written: Stream) -> None:
    log_together(log, [])
    log_together(log, [Entry("one", CONTEXT, {"order.id": "1"})])

    [line] = written.lines()
    assert (line["trace.id"], line["order.id"]) == (CONTEXT.trace_id, "1")


def test_an_error_is_one_line_with_its_traceback(written: Stream) -> None:
    try:
        raise ValueError("no\nway")
    except ValueError:
        log.exception("broken")

    [line] = written.lines()
    assert (line["error.type"], line["error.message"]) == ("ValueError", "no")
    assert "Traceback" in line["error.stack_trace"]


@given(st.text(st.characters()))
def test_whatever_is_logged_is_one_line_of_json(text: str) -> None:
    record = logging.makeLogRecord({"msg": "%s", "args": (text,), "note": text})
    stream = Stream()
    root = logging.getLogger()
    handlers = root.handlers[:]
    ecs_logging.configure(Environment.read("s", {}), stream)
    formatter = root.handlers[0].formatter
    root.handlers[:] = handlers
    assert formatter is not None

    line = formatter.format(record)

    assert "\n" not in line
    assert json.loads(line)["note"] == text


def test_on_a_terminal_lines_are_for_people(written: Stream) -> None:
    terminal = Stream()
    terminal.terminal = True
    ecs_logging.configure(Environment.read("order-service", {}), terminal)

    log.info("order placed", extra={"order.id": "7"})

    assert "order placed" in terminal.getvalue()
    assert "order.id" in terminal.getvalue()
    assert "{" not in terminal.getvalue()


def access(status: int) -> AnsweredRequest:
    return AnsweredRequest("GET", "/a/{id}", "/a/7", status, 0.0123, "127.0.0.1", CONTEXT, "user")


def test_a_request_has_a_line_in_ecs_names(written: Stream) -> None:
    AccessLog(Live(None)).write(access(200))

    [line] = written.lines()
    assert line["message"] == "GET /a/7 200, 12.3 ms"
    assert line["http.route"] == "/a/{id}"
    assert line["http.response.status_code"] == 200
    assert line["event.duration"] == 12_300_000
    assert (line["user.id"], line["trace.id"]) == ("user", CONTEXT.trace_id)


def test_so_many_requests_a_second_have_a_line_and_all_that_failed() -> None:
    access_log = AccessLog(Live(5.0), clock=lambda: 0.0)

    assert sum(access_log.takes(200, is_traced=True) for _ in range(100)) == 5
    assert all(access_log.takes(status, is_traced=False) for status in (500, 503, 599))


def test_what_is_not_traced_has_no_line_unless_it_failed() -> None:
    access_log = AccessLog(Live(None))

    assert access_log.takes(404, is_traced=True)
    assert not access_log.takes(200, is_traced=False)
