"""A wrong record goes to the dead letters, whatever it holds and whatever its handler raises."""

import json
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kafka.errors import KafkaError
from sqlalchemy.exc import (
    DataError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    TimeoutError,
)

from chassis.core.errors import Conflict, Unavailable
from chassis.messaging.event import Event
from chassis.messaging.processing import ConsumptionStopped

from .records import Harness, record

TRACE, SPAN = "463ac35c9f6413ad48485a3953bb6124", "a2fb4a1d1a96d312"

NAMES = (
    st.sampled_from(["ce_id", "ce_type", "ce_source", "b3", "traceparent", "x-note"]) | st.text()
)
CONTENTS = (
    st.none()
    | st.binary(max_size=80)
    | st.sampled_from(
        [
            b"order.placed",
            b"0190c5a2-7f4e-7c3a-9b1d-2f6d3c1e8a55",
            b"0" * 32 + b"-" + b"0" * 16 + b"-1",
            b"00-" + b"f" * 32 + b"-" + b"f" * 16 + b"-01",
            b"\xff\xfe",
        ]
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
DEEP = b"[" * 200_000
VALUES = (
    st.none()
    | st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | JSON.map(lambda value: json.dumps({"order": value}).encode())
    | st.sampled_from([DEEP, b'{"order":' + DEEP, b"x" * 3_000_000, b'{"order": "\\ud800"}'])
)
FULL = st.fixed_dictionaries(
    {"ce_id": CONTENTS, "ce_type": st.just(b"order.placed"), "ce_source": st.just(b"/test")}
).map(lambda headers: list(headers.items()))
HEADERS = st.none() | FULL | st.lists(st.tuples(NAMES, CONTENTS), max_size=6)
RECORDS = st.builds(
    record,
    value=VALUES,
    headers=HEADERS.map(lambda headers: [] if headers is None else headers),
    key=st.none() | st.binary(max_size=40),
)


@given(st.lists(RECORDS, max_size=5))
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_record_holds_nothing_is_raised_and_the_next_is_handled(
    arbitrary: list[Any],
) -> None:
    harness = Harness(lambda event: None)
    good = record()

    harness.processor.process([*arbitrary, good])

    assert str(harness.handled[-1].id).encode() == dict(good.headers)["ce_id"]
    assert len(harness.dead_letters.letters) <= len(arbitrary)
    assert all(harness.dead_letters.reasons()), "a letter without a reason says nothing"


def refuse_second(error: Exception) -> Any:
    def handle(event: Event) -> None:
        if event.data.order == "2":
            raise error

    return handle


ORIGINAL = psycopg.errors.UniqueViolation("duplicate key")


@pytest.mark.parametrize(
    "error",
    [
        Conflict("This order is over."),
        AttributeError("'NoneType' object has no attribute 'qty'"),
        KeyError("qty"),
        RecursionError(),
        ZeroDivisionError("division by zero"),
        IntegrityError("INSERT", {}, ORIGINAL),
        DataError("INSERT", {}, psycopg.DataError("NUL")),
        ProgrammingError("INSERT", {}, psycopg.ProgrammingError("cannot adapt type 'dict'")),
        # Its class is that of an outage, but it comes back as long as the value does.
        OperationalError("INSERT", {}, psycopg.errors.ProgramLimitExceeded("index row too large")),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_its_handler_raises_an_event_is_given_up_and_the_others_are_handled(
    error: Exception,
) -> None:
    harness = Harness(refuse_second(error))

    harness.processor.process([record(b'{"order": "%d"}' % number) for number in (1, 2, 3)])

    assert [event.data.order for event in harness.handled] == ["1", "3"]
    [letter] = harness.dead_letters.letters
    assert letter.topic == "orders.dead"
    assert letter.value == b'{"order": "2"}'
    assert dict(letter.headers)["dead_from"] == b"catalog-service orders/0/0"


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT", {}, psycopg.OperationalError("server closed the connection")),
        OperationalError("SELECT", {}, psycopg.errors.DeadlockDetected("deadlock")),
        InterfaceError("SELECT", {}, psycopg.InterfaceError("the connection is closed")),
        TimeoutError("QueuePool limit reached"),
        IntegrityError("INSERT", {}, ORIGINAL, connection_invalidated=True),
        KafkaError("no brokers"),
        Unavailable("catalog-service is away."),
        ConnectionResetError("reset by peer"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_an_events_fault_goes_up_and_gives_nothing_up(error: Exception) -> None:
    harness = Harness(refuse_second(error))
    broken = record(b"no JSON", offset=1)

    with pytest.raises(type(error)):
        harness.processor.process([broken, record(b'{"order": "2"}', offset=2)])

    assert harness.dead_letters.letters == []


def test_a_long_run_of_failures_is_not_the_events_fault() -> None:
    def broken_by_us(_event: Event) -> None:
        raise IntegrityError("INSERT", {}, psycopg.errors.NotNullViolation('column "new" is null'))

    harness = Harness(broken_by_us, max_consecutive_failed=3)

    with pytest.raises(ConsumptionStopped) as stopped:
        harness.processor.process([record(offset=number) for number in range(10)])

    assert len(harness.dead_letters.letters) == 3
    assert stopped.value.record.offset == 3
    assert "orders/0/3" in str(stopped.value)
    assert "NotNullViolation" in str(stopped.value)


def test_records_that_nobody_can_read_may_come_in_a_longer_run() -> None:
    harness = Harness(lambda event: None, max_consecutive_failed=1, max_consecutive_invalid=5)

    harness.processor.process([record(b"no JSON") for _ in range(5)])
    with pytest.raises(ConsumptionStopped):
        harness.processor.process([record(b"no JSON")])

    assert len(harness.dead_letters.letters) == 5


def test_a_large_share_of_failures_is_not_the_events_fault_either() -> None:
    def every_second_fails(event: Event) -> None:
        if int(event.data.order) % 2:
            raise KeyError("new")

    harness = Harness(every_second_fails, max_share=0.4, window=20)

    with pytest.raises(ConsumptionStopped, match="50% of the last 20"):
        harness.processor.process([record(b'{"order": "%d"}' % number) for number in range(100)])

    assert len(harness.dead_letters.letters) == 10


def test_a_failure_now_and_then_never_stops_the_others() -> None:
    def one_in_ten_fails(event: Event) -> None:
        if int(event.data.order) % 10 == 0:
            raise KeyError("new")

    harness = Harness(one_in_ten_fails, max_consecutive_failed=2, window=20)

    harness.processor.process([record(b'{"order": "%d"}' % number) for number in range(200)])

    assert len(harness.dead_letters.letters) == 20
    assert len(harness.handled) == 180


def test_who_raises_the_limit_lets_it_go_on() -> None:
    harness = Harness(refuse_second(KeyError("new")), max_consecutive_failed=1)
    wrong = [record(b'{"order": "2"}', offset=number) for number in range(2)]
    with pytest.raises(ConsumptionStopped):
        harness.processor.process(wrong)

    harness.settings.set(harness.settings.value.model_copy(update={"max_consecutive_failed": 9}))
    harness.processor.process(wrong[1:])

    assert len(harness.dead_letters.letters) == 2


def test_the_transaction_of_a_batch_is_in_the_trace_of_an_event_that_is_kept() -> None:
    harness = Harness(lambda _event: None)
    unsampled, sampled = f"{TRACE}-{SPAN}-0", f"{TRACE}-{SPAN}-1"

    harness.processor.process([record_of(unsampled), record_of(sampled)])

    [context] = harness.sessions.begun_in
    [receive] = harness.spans
    assert context is not None
    assert (context.is_sampled, context.span_id) == (True, receive.span_id)


def test_a_dead_letter_is_a_span_of_the_trace_that_it_belongs_to() -> None:
    harness = Harness(lambda _event: None)

    harness.processor.process([record_of(f"{TRACE}-{SPAN}-1", value=b"{}")])

    [span] = harness.spans
    assert (span.name, span.parent_id) == ("dead letter orders", SPAN)
    assert span.tags is not None
    assert "Field required" in str(span.tags["error"])


def record_of(b3: str, value: bytes = b'{"order": "1"}') -> Any:
    made = record(value)
    made.headers.append(("b3", b3.encode()))
    return made
