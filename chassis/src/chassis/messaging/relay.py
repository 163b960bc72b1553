"""The relay of the transactional outbox: publishes its rows to Kafka, in their order.

One relay a service is active, by an advisory lock; the others pass wake-ups on.  Whoever commits
an event notifies the relay of its own process; one that does not hold the lock answers that with
NOTIFY, so that request transactions never queue for PostgreSQL's notification lock.
"""

import logging
import os
import selectors
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from kafka import KafkaProducer
from sqlalchemy import Engine, Row, delete, select, text

from chassis.actuator.endpoints import up
from chassis.chaos import kill_points
from chassis.core.backoff import Backoff
from chassis.core.errors import first_line
from chassis.messaging import cloudevents
from chassis.messaging.outages import something_is_away
from chassis.messaging.outbox import Outbox
from chassis.observability import tracing
from chassis.observability.tracing import Kind, Tracer, ZipkinAttrs

log = logging.getLogger(__name__)

BATCH = 500
# The sweep finds what a crash between commit and wake-up left behind.
SWEEP_SECONDS = 1.0
LONGEST_PAUSE = 5.0
DELIVERY_SECONDS = 30


class OutboxRelay:
    """The thread that publishes: `run` is for Workers."""

    def __init__(
        self,
        outbox: Outbox,
        engine: Engine,
        tracer: Tracer,
        source: str,
        producer: Callable[[], KafkaProducer],
    ) -> None:
        self._outbox = outbox
        self._engine = engine
        self._tracer = tracer
        self._source = source
        self._make_producer = producer
        self._producer: KafkaProducer | None = None
        self.active = False
        self._waits_for = ""
        self._wake_reader, self._wake_writer = os.pipe()
        os.set_blocking(self._wake_reader, False)
        os.set_blocking(self._wake_writer, False)

    def notify(self) -> None:
        """Wake the active relay, here or in another instance; never waits."""
        with suppress(BlockingIOError):  # then a wake-up is under way already
            os.write(self._wake_writer, b"!")

    def run(self, stop: threading.Event) -> None:
        backoff = Backoff(0.1, LONGEST_PAUSE)
        while not stop.is_set():
            try:
                self._relay(stop, backoff)
            except Exception as error:
                if not something_is_away(error):
                    raise
                self._waits_for = first_line(error)
                log.warning("the outbox waits: %s", self._waits_for)
                backoff.wait(stop)
            finally:
                self.active = False
        self._close()

    def health(self) -> dict[str, Any]:
        if self._waits_for:
            return {"status": "UNKNOWN", "details": {"error": self._waits_for, "active": False}}
        return up(active=self.active)

    def _relay(self, stop: threading.Event, backoff: Backoff) -> None:
        with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, psycopg.Connection)
            try:
                connection.execute(text("LISTEN outbox"))
                while not stop.is_set():
                    self.active = self.active or self._takes_lead(connection)
                    if self.active:
                        # Made before the first order needs it: it takes a tenth of a second.
                        self._producer = self._producer or self._make_producer()
                        while self._publish_batch():
                            pass
                    self._waits_for = ""
                    backoff.reset()
                    notified_here = self._wait(raw)
                    if notified_here and not self.active:
                        connection.execute(text("NOTIFY outbox"))
                if self.active:
                    self._publish_batch()
            finally:
                # Its lock and subscription must not go back to the pool with it.
                connection.invalidate()

    def _takes_lead(self, connection: Any) -> bool:
        return bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtext('outbox'))")))

    def _wait(self, raw: psycopg.Connection[Any]) -> bool:
        """Until a wake-up, from here or from another instance, or the sweep; whether from here."""
        with selectors.PollSelector() as selector:
            selector.register(self._wake_reader, selectors.EVENT_READ)
            selector.register(raw.fileno(), selectors.EVENT_READ)
            selector.select(SWEEP_SECONDS)
        for _ in raw.notifies(timeout=0):
            pass
        try:
            return bool(os.read(self._wake_reader, 4096))
        except BlockingIOError:
            return False

    def _publish_batch(self) -> bool:
        """Publish the oldest rows, then delete them; whether there may be more.

        A crash in between publishes them again: consumers know them by `ce_id`.
        """
        table = self._outbox.table
        with self._engine.begin() as connection:
            rows = connection.execute(
                select(*table.c).order_by(table.c.position).limit(BATCH)
            ).all()
            if rows:
                kill_points.kill_point(kill_points.BEFORE_PUBLISH)
                self._publish(rows)
                kill_points.kill_point(kill_points.AFTER_PUBLISH)
                connection.execute(
                    delete(table).where(table.c.position.in_([row.position for row in rows]))
                )
        return len(rows) == BATCH

    def _publish(self, rows: Sequence[Row[Any]]) -> None:
        if self._producer is None:
            self._producer = self._make_producer()
        sent = []
        for row in rows:
            attrs = self._span_of(row)
            started = time.time()
            future = self._producer.send(
                row.topic,
                key=row.key.encode(),
                value=row.payload,
                headers=cloudevents.headers(
                    row.event_id, row.type, self._source, row.recorded_at, attrs
                ),
            )
            sent.append((row, attrs, started, future))
        self._producer.flush(timeout=DELIVERY_SECONDS)
        self._confirm(sent)

    def _span_of(self, row: Row[Any]) -> ZipkinAttrs | None:
        if row.span is None:
            return None
        return self._tracer.child_of(tracing.incoming({"b3": row.span}).parent)

    def _confirm(self, sent: Sequence[Any]) -> None:
        """Raise the first failure, if any; the spans end where the broker has acknowledged."""
        for row, attrs, started, future in sent:
            future.get(timeout=DELIVERY_SECONDS)
            if attrs:
                self._tracer.report(
                    f"send {row.topic}",
                    Kind.PRODUCER,
                    attrs,
                    started,
                    remote="kafka",
                    tags={"kafka.topic": row.topic, "ce.type": row.type, "kafka.key": row.key},
                )

    def _close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=2)
