"""The consumer of a service's topics: batches in, one transaction each, offsets after it.

A wrong record goes to `{topic}.dead` with its reason, and the next one is handled.  A wrong world
(database or Kafka away) skips nothing: the batch is read again after a growing pause.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError
from pydantic import BaseModel
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from chassis.chaos import kill_points
from chassis.core.backoff import Backoff
from chassis.core.errors import Problem, first_line
from chassis.data.outages import OUTAGES
from chassis.messaging import cloudevents
from chassis.messaging.cloudevents import BadRecord
from chassis.messaging.event import Event
from chassis.messaging.inbox import Inbox
from chassis.observability.tracing import Kind, Tracer

log = logging.getLogger(__name__)

Handler = Callable[[Session, Sequence[Event]], None]

POLL_MILLISECONDS = 250
LONGEST_PAUSE = 5.0
TOPICS_PAUSE = 0.2
DELIVERY_SECONDS = 30
# What a record can be guilty of; everything else is the world's fault or a bug of ours.
RECORDS_FAULT = (DataError, IntegrityError, Problem)


class Consumer:
    """`run` is for Workers.  `models` are the event types this service reads.

    `handler` is their effect: it gets a batch in the order of its partitions, duplicates taken out,
    and raises a Problem when an event can never have its effect.
    """

    def __init__(
        self,
        topics: Sequence[str],
        models: Mapping[str, type[BaseModel]],
        handler: Handler,
        inbox: Inbox,
        sessions: sessionmaker[Session],
        tracer: Tracer,
        service: str,
        consumer: Callable[[], KafkaConsumer],
        producer: Callable[[], KafkaProducer],
    ) -> None:
        self._topics = list(topics)
        self._models = models
        self._handler = handler
        self._inbox = inbox
        self._sessions = sessions
        self._tracer = tracer
        self._service = service
        self._make_consumer = consumer
        self._make_producer = producer
        self._consumer: KafkaConsumer | None = None
        self._producer: KafkaProducer | None = None
        self._backoff = Backoff(0.1, LONGEST_PAUSE)

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                self._consume(stop)
            except (*OUTAGES, KafkaError) as error:
                log.warning("events wait: %s", first_line(error))
                self._close()
                self._backoff.wait(stop)
        self._close()

    def _consume(self, stop: threading.Event) -> None:
        if self._consumer is None:
            self._consumer = self._make_consumer()
            self._await_topics(self._consumer, stop)
            self._consumer.subscribe(self._topics)
        while not stop.is_set():
            batches = self._consumer.poll(timeout_ms=POLL_MILLISECONDS)
            records = [record for batch in batches.values() for record in batch]
            if records:
                self.handle(records)
                self._consumer.commit()
                self._backoff.reset()
                kill_points.kill_point(kill_points.AFTER_OFFSET)

    def _await_topics(self, consumer: KafkaConsumer, stop: threading.Event) -> None:
        """A topic that is missed at subscription is missed until the metadata age."""
        while not set(self._topics) <= consumer.topics() and not stop.wait(TOPICS_PAUSE):
            pass

    def handle(self, records: Sequence[Any]) -> None:
        """Let `records` have their effect, once each; what is wrong with one hurts no other."""
        good: list[tuple[Any, Event]] = []
        for record in records:
            try:
                event = cloudevents.parse(record.key, record.value, record.headers, self._models)
            except BadRecord as error:
                self._dead_letter(record, str(error))
                continue
            if event is not None:
                good.append((record, self._with_own_span(event)))
        if not good:
            return
        try:
            self._effect(good)
        except RECORDS_FAULT as error:
            log.info("one of %d events is wrong, handling them singly: %s", len(good), error)
            self._singly(good)

    def _singly(self, good: Sequence[tuple[Any, Event]]) -> None:
        for record, event in good:
            try:
                self._effect([(record, event)])
            except RECORDS_FAULT as error:
                self._dead_letter(record, first_line(error))

    def _effect(self, good: Sequence[tuple[Any, Event]]) -> None:
        started = time.time()
        with self._sessions.begin() as session:
            fresh = self._inbox.claim(session, [event for _, event in good])
            if fresh:
                self._handler(session, fresh)
            kill_points.kill_point(kill_points.CONSUMED_BEFORE_COMMIT)
        kill_points.kill_point(kill_points.CONSUMED_AFTER_COMMIT)
        handled = {event.id for event in fresh}
        for record, event in good:
            if event.id in handled:
                handled.remove(event.id)
                self._report(record.topic, event, started)

    def _report(self, topic: str, event: Event, started: float) -> None:
        if event.trace_context is not None:
            self._tracer.report(
                f"receive {topic}",
                Kind.CONSUMER,
                event.trace_context,
                started,
                remote="kafka",
                tags={"kafka.topic": topic, "ce.type": event.type, "kafka.key": event.key},
            )

    def _with_own_span(self, event: Event) -> Event:
        if event.trace_context is None:
            return event
        return replace(event, trace_context=self._tracer.child_of(event.trace_context))

    def _dead_letter(self, record: Any, reason: str) -> None:
        came_from = f"{record.topic}/{record.partition}/{record.offset}"
        log.warning("dead letter from %s: %s", came_from, reason)
        if self._producer is None:
            self._producer = self._make_producer()
        self._producer.send(
            f"{record.topic}.dead",
            key=record.key,
            value=record.value,
            headers=[
                # Python's producer writes no header without a value.
                *((name, content or b"") for name, content in record.headers or ()),
                ("dead_reason", reason[:1000].encode("utf-8", "replace")),
                ("dead_from", f"{self._service} {came_from}".encode()),
            ],
        ).get(timeout=DELIVERY_SECONDS)

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close(autocommit=False)
            self._consumer = None
        if self._producer is not None:
            self._producer.close(timeout=2)
            self._producer = None
