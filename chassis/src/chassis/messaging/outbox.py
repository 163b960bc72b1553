"""The outbox: events are written with the change they tell of, and published after it.

One relay a service is active, by an advisory lock; the others pass on the bell.  Whoever commits
an event rings in its own process; a relay that does not hold the lock answers the bell with
NOTIFY, so that request transactions never queue for PostgreSQL's notification lock.
"""

import logging
import os
import select
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from kafka import KafkaProducer
from kafka.errors import KafkaError
from py_zipkin.util import ZipkinAttrs
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Engine,
    Identity,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
    Uuid,
    delete,
    event,
    func,
    insert,
    text,
)
from sqlalchemy import (
    select as sql_select,
)
from sqlalchemy.orm import Session
from uuid_utils.compat import uuid7

from chassis.chaos import kill_points
from chassis.data.postgres import OUTAGES
from chassis.messaging import cloudevents
from chassis.observability import tracing
from chassis.observability.tracing import Kind, Tracer

log = logging.getLogger(__name__)

BATCH = 500
# The sweep finds what a crash between commit and bell left behind.
SWEEP_SECONDS = 1.0
LONGEST_PAUSE = 5.0
DELIVERY_SECONDS = 30


@dataclass(frozen=True)
class Message:
    """An event to be told: `topic`, `key` and CloudEvents `type`; `data` becomes its JSON.

    `cause` is the span it belongs to, unless that is the current one.
    """

    topic: str
    key: str
    type: str
    data: dict[str, Any]
    cause: ZipkinAttrs | None = None
    id: UUID = field(default_factory=uuid7)


class Outbox:
    """The table in a service's own schema, and the bell of its relay."""

    def __init__(self, metadata: MetaData) -> None:
        self.table = Table(
            "outbox",
            metadata,
            Column("position", BigInteger, Identity(), primary_key=True),
            Column("event_id", Uuid, nullable=False),
            Column("topic", String, nullable=False),
            Column("key", String, nullable=False),
            Column("type", String, nullable=False),
            Column("payload", LargeBinary, nullable=False),
            Column("span", Text),
            Column(
                "recorded_at",
                DateTime(timezone=True),
                nullable=False,
                server_default=func.now(),
            ),
        )
        self.bell: Callable[[], None] = _nobody_listens

    def record(self, session: Session, messages: Sequence[Message]) -> None:
        """Write `messages` in the transaction of `session`; its commit wakes the relay."""
        if messages:
            session.execute(insert(self.table), [_row(message) for message in messages])
            event.listen(session, "after_commit", self._committed, once=True)

    def _committed(self, _session: Session) -> None:
        self.bell()


def _nobody_listens() -> None:
    """Without a relay in this process the rows wait for one."""


def _row(message: Message) -> dict[str, Any]:
    span = message.cause or tracing.current()
    return {
        "event_id": message.id,
        "topic": message.topic,
        "key": message.key,
        "type": message.type,
        "payload": cloudevents.encode(message.data),
        "span": tracing.single(span) if span else None,
    }


class Relay:
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
        self._hear, self._ring = os.pipe()
        os.set_blocking(self._hear, False)
        os.set_blocking(self._ring, False)
        outbox.bell = self.ring

    def ring(self) -> None:
        """Wake the relay, here or in another instance; never waits."""
        with suppress(BlockingIOError):  # then it is ringing already
            os.write(self._ring, b"!")

    def run(self, stop: threading.Event) -> None:
        pause = 0.1
        while not stop.is_set():
            try:
                self._relay(stop)
                pause = 0.1
            except (*OUTAGES, psycopg.OperationalError, KafkaError) as error:
                log.warning("the outbox waits: %s", str(error).splitlines()[0])
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            finally:
                self.active = False
        self._close()

    def _relay(self, stop: threading.Event) -> None:
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
                    rang = self._wait(raw)
                    if rang and not self.active:
                        connection.execute(text("NOTIFY outbox"))
                if self.active:
                    self._publish_batch()
            finally:
                # Its lock and subscription must not go back to the pool with it.
                connection.invalidate()

    def _takes_lead(self, connection: Any) -> bool:
        return bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtext('outbox'))")))

    def _wait(self, raw: psycopg.Connection[Any]) -> bool:
        """Until the bell, a notification or the sweep; whether it was our own bell."""
        select.select([self._hear, raw.fileno()], [], [], SWEEP_SECONDS)
        for _ in raw.notifies(timeout=0):
            pass
        try:
            return bool(os.read(self._hear, 4096))
        except BlockingIOError:
            return False

    def _publish_batch(self) -> bool:
        """Publish the oldest rows, then delete them; whether there may be more.

        A crash in between publishes them again: consumers know them by `ce_id`.
        """
        table = self._outbox.table
        with self._engine.begin() as connection:
            rows = connection.execute(
                sql_select(*table.c).order_by(table.c.position).limit(BATCH)
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
