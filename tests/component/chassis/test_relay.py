"""What is recorded in the outbox is published once Kafka has it, in its order, and then deleted."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.partitioner import murmur2
from py_zipkin.encoding import Span
from sqlalchemy import Engine, event, func, select, text
from sqlalchemy.orm import Session, sessionmaker

from chassis.core.live import Live
from chassis.data import postgres
from chassis.messaging.dead_letters import DeadLetterProducer
from chassis.messaging.outbox import Message
from chassis.messaging.relay import BATCH, OutboxRelay, on_commit
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import TraceContext, Tracer
from chassis.runtime.service import Process
from order_service import prepare
from order_service.models import outbox
from order_service.settings import OrderSettings

TRACED = TraceContext("463ac35c9f6413ad", "a2fb4a1d1a96d312", None, "0", True)
UNTRACED = TRACED._replace(is_sampled=False)


class Sent:
    def __init__(self, topic: str, error: KafkaError | None, **record: Any) -> None:
        self.topic, self.record, self._error = topic, record, error
        self.key, self.value = record["key"].decode(), record["value"]
        self.headers = dict(record["headers"])

    def get(self, timeout: float) -> None:
        if self._error:
            raise self._error


class Broker:
    """The producer's end.  `refuses` and `limit` are the broker's, `client_limit` the library's."""

    def __init__(self) -> None:
        self.published: list[Sent] = []
        self.flushes = 0
        self.refuses: KafkaError | None = None
        self.limit = self.client_limit = 1 << 20

    def keys_of(self, topic: str = "orders") -> list[str]:
        return [sent.key for sent in self.published if sent.topic == topic]

    def producer(self) -> Any:
        return _Producer(self)


class _Producer:
    """As an idempotent one: after a refusal for its size it fails whatever it is given."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.broken: KafkaError | None = None

    def partitions_for(self, _topic: str) -> set[int]:
        return {0, 1, 2, 3, 4, 5}

    def send(self, topic: str, **record: Any) -> Sent:
        is_dead_letter = topic.endswith(".dead")
        if len(record["value"]) > self.broker.client_limit and not is_dead_letter:
            raise MessageSizeTooLargeError("too large")
        if len(record["value"]) > self.broker.limit and not is_dead_letter:
            self.broken = MessageSizeTooLargeError("too large")
        error = self.broken or self.broker.refuses
        sent = Sent(topic, error, **record)
        if error is None:
            self.broker.published.append(sent)
        return sent

    def flush(self, timeout: float) -> None:
        self.broker.flushes += 1

    def close(self, timeout: float) -> None:
        pass


@pytest.fixture(scope="module")
def engine(process_of: Callable[..., Process[Any]]) -> Iterator[Engine]:
    process = process_of("order-service", OrderSettings)
    prepare.prepare(process)
    engine = postgres.engine_of(process.settings.spring.datasource, process.environment)
    yield engine
    engine.dispose()


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    with engine.begin() as connection:
        connection.execute(text("TRUNCATE outbox"))
    return sessionmaker(engine)


@pytest.fixture
def relay(engine: Engine, broker: Broker) -> OutboxRelay:
    return relay_of(engine, broker)


def relay_of(engine: Engine, broker: Broker, spans: list[Span] | None = None) -> OutboxRelay:
    sink: list[Span] = [] if spans is None else spans
    tracer = Tracer("order-service", Sampler(Live(SamplingRules(1.0))), sink.append)
    return OutboxRelay(
        outbox,
        engine,
        tracer,
        "order-service",
        broker.producer,
        DeadLetterProducer("order-service", tracer, broker.producer),
    )


def message(key: int, **data: Any) -> Message:
    return Message("orders", str(key), "order.placed", {"order": key, **data})


def record(sessions: sessionmaker[Session], *messages: Message) -> None:
    with sessions.begin() as session:
        outbox.record(session, messages)


def left(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(select(func.count()).select_from(outbox.table)) or 0)


@contextmanager
def running(relay: OutboxRelay) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        relay.notify()
        thread.join(10)
        assert not thread.is_alive()


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.002)


def is_published(broker: Broker, key: str) -> bool:
    return key in broker.keys_of()


def test_a_batch_is_published_in_its_order_by_one_statement_and_one_flush(
    engine: Engine, sessions: sessionmaker[Session], broker: Broker, relay: OutboxRelay
) -> None:
    record(sessions, *(message(number) for number in range(BATCH + 20)))
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))

    assert relay._publish_batch() == BATCH
    assert relay._publish_batch() == 20
    assert relay._publish_batch() == 0

    assert broker.keys_of() == [str(number) for number in range(BATCH + 20)]
    assert broker.flushes == 2
    assert len(statements) == 3
    assert len(set(statements)) == 1, "one text, whatever the size"
    assert left(engine) == 0


def test_a_record_lies_in_the_partition_that_any_client_would_choose(
    sessions: sessionmaker[Session], broker: Broker, relay: OutboxRelay
) -> None:
    record(sessions, *(message(number) for number in range(30)))

    relay._publish_batch()

    for sent in broker.published:
        assert sent.record["partition"] == (murmur2(sent.key.encode()) & 0x7FFFFFFF) % 6


def test_what_kafka_does_not_acknowledge_stays_and_is_published_later(
    engine: Engine, sessions: sessionmaker[Session], broker: Broker, relay: OutboxRelay
) -> None:
    record(sessions, message(1), message(2))
    broker.refuses = KafkaError("no leader")

    with running(relay):
        until(lambda: relay.health()["status"] == "UNKNOWN")
        assert relay.health()["details"]["error"] == "KafkaError: no leader"
        assert left(engine) == 2
        broker.refuses = None
        until(lambda: broker.keys_of() == ["1", "2"])

    assert left(engine) == 0


def test_a_row_after_a_pause_is_published_at_once_and_what_follows_gathers(
    sessions: sessionmaker[Session], broker: Broker, relay: OutboxRelay
) -> None:
    relay._gather = 2.0
    on_commit(sessions, relay.notify)

    with running(relay):
        began = time.monotonic()
        record(sessions, message(0))
        until(partial(is_published, broker, "0"))
        assert time.monotonic() - began < relay._gather
        for number in range(1, 11):
            record(sessions, message(number))
        until(lambda: len(broker.keys_of()) == 11)

    assert broker.flushes == 2


def test_what_somebody_waits_for_takes_along_what_has_gathered(
    sessions: sessionmaker[Session], broker: Broker, relay: OutboxRelay
) -> None:
    relay._gather = 60.0
    on_commit(sessions, relay.notify)

    with running(relay):
        record(sessions, message(0))
        until(partial(is_published, broker, "0"))
        record(sessions, message(1))
        record(sessions, replace(message(2), is_awaited=True))
        until(lambda: broker.keys_of() == ["0", "1", "2"])
        relay._gather = 0.0


def test_an_instance_that_does_not_publish_tells_the_one_that_does(
    engine: Engine, sessions: sessionmaker[Session], broker: Broker, relay: OutboxRelay
) -> None:
    relay._gather = 60.0
    other = relay_of(engine, broker)
    on_commit(sessions, other.notify)

    with running(relay):
        until(lambda: relay.active)
        with running(other):
            record(sessions, message(0))
            until(partial(is_published, broker, "0"))
            record(sessions, replace(message(1), is_awaited=True))
            until(partial(is_published, broker, "1"))
            assert not other.active
        relay._gather = 0.0


@pytest.mark.parametrize("whose", ["limit", "client_limit"])
def test_an_event_that_is_too_large_holds_up_no_other(
    engine: Engine,
    sessions: sessionmaker[Session],
    broker: Broker,
    relay: OutboxRelay,
    whose: str,
) -> None:
    setattr(broker, whose, 1_000)
    record(sessions, message(1), message(2, note="x" * 2_000), message(3))

    relay._publish_batch()

    # Some may come twice: whoever reads them knows them by their ids.
    assert set(broker.keys_of()) == {"1", "3"}
    assert broker.keys_of("orders.dead") == ["2"]
    [letter] = [sent for sent in broker.published if sent.topic == "orders.dead"]
    assert letter.headers["dead_reason"] == b"the event is too large for its topic"
    assert letter.headers["ce_type"] == b"order.placed"
    assert left(engine) == 0


@pytest.mark.parametrize("context", [TRACED, UNTRACED, None])
def test_the_trace_goes_on_in_the_headers(
    sessions: sessionmaker[Session],
    broker: Broker,
    relay: OutboxRelay,
    context: TraceContext | None,
) -> None:
    record(sessions, Message("orders", "1", "order.placed", {}, trace_context=context))

    relay._publish_batch()

    [sent] = broker.published
    b3 = sent.headers.get("b3", b"").decode().split("-")
    if context is None:
        assert "b3" not in sent.headers
    elif context.is_sampled:
        assert (b3[0], b3[2]) == (TRACED.trace_id, "1")
        assert b3[1] != TRACED.span_id, "the message has a span of its own"
    else:
        assert b3 == [TRACED.trace_id, TRACED.span_id, "0"]


def test_the_trace_shows_how_long_an_event_has_waited_in_the_outbox(
    engine: Engine, sessions: sessionmaker[Session], broker: Broker
) -> None:
    spans: list[Span] = []
    record(sessions, Message("orders", "1", "order.placed", {}, trace_context=TRACED))
    time.sleep(0.2)

    relay_of(engine, broker, spans)._publish_batch()

    wait, send = spans
    assert (wait.name, send.name) == ("wait in outbox", "send orders")
    assert wait.parent_id == send.parent_id == TRACED.span_id
    assert wait.duration is not None
    assert wait.duration >= 0.2
    assert wait.timestamp is not None
    assert send.timestamp == pytest.approx(wait.timestamp + wait.duration)


def test_what_a_trace_carries_along_goes_on_with_the_event(
    sessions: sessionmaker[Session], broker: Broker, relay: OutboxRelay
) -> None:
    context = UNTRACED._replace(baggage="course=spring%20cloud;seat=7,team=blue")
    record(sessions, Message("orders", "1", "order.placed", {}, trace_context=context))

    relay._publish_batch()

    assert broker.published[0].headers["baggage"].decode() == context.baggage


def test_a_relay_that_dies_over_a_batch_loses_nothing(
    engine: Engine, sessions: sessionmaker[Session], broker: Broker
) -> None:
    record(sessions, message(1))
    first = relay_of(engine, broker)
    broker.refuses = KafkaError("gone")
    with pytest.raises(KafkaError):
        first._publish_batch()
    broker.refuses = None

    relay_of(engine, broker)._publish_batch()

    assert broker.keys_of() == ["1"]
