"""The relay of the transactional outbox: publishes its rows to Kafka, in their order.

One relay a service is active, by an advisory lock; the others pass wake-ups on.  Whoever commits
an event notifies the relay of its own process; one that does not hold the lock answers that with
NOTIFY, so that request transactions never queue for PostgreSQL's notification lock.

A batch costs about what a row costs, here and with all who read it.  So the first row after a pause
is published at once, and those that follow it gather: for a moment when somebody waits for what
comes of them, and else for somewhat longer.
"""

import logging
import selectors
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError
from kafka.partitioner import murmur2
from sqlalchemy import Engine, Executable, Row, Table, bindparam, delete, event, select, text
from sqlalchemy.orm import Session, sessionmaker

from chassis.actuator.endpoints import up
from chassis.chaos import kill_points
from chassis.core.backoff import Backoff
from chassis.core.errors import first_line
from chassis.messaging import cloudevents, wake_ups
from chassis.messaging.cloudevents import RecordHeaders
from chassis.messaging.dead_letters import DeadLetterProducer
from chassis.messaging.outages import something_is_away
from chassis.messaging.outbox import RECORDED, Outbox
from chassis.messaging.wake_ups import Urgency, WakeUps
from chassis.observability import tracing
from chassis.observability.tracing import Kind, TraceContext, Tracer

log = logging.getLogger(__name__)

BATCH = 500
# From one batch to the next, when somebody waits.
SHORTEST_GATHER_SECONDS = 0.02
# The sweep finds what a crash between commit and wake-up left behind.
SWEEP_SECONDS = 1.0
LONGEST_PAUSE = 2.0
DELIVERY_SECONDS = 30


class OutboxRelay:
    """The thread that publishes: `run` is for Workers.

    `gather` is how many seconds there are from one batch to the next while nobody waits for it.
    """

    def __init__(
        self,
        outbox: Outbox,
        engine: Engine,
        tracer: Tracer,
        source: str,
        producer: Callable[[], KafkaProducer],
        dead_letters: DeadLetterProducer,
        gather: float = SHORTEST_GATHER_SECONDS,
    ) -> None:
        self._take = _take(outbox.table)
        self._engine = engine
        self._tracer = tracer
        self._source = source
        self._make_producer = producer
        self._dead_letters = dead_letters
        self._producer: KafkaProducer | None = None
        self._gather = gather
        self._last_batch = 0.0
        self.active = False
        self._waits_for = ""
        self._wake_ups = WakeUps()

    def notify(self, is_awaited: bool = False) -> None:
        """Tell the active relay, here or in another instance, of new rows; never waits."""
        self._wake_ups.send(Urgency.AWAITED if is_awaited else Urgency.ROWS)

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
                # After some errors a producer is of no more use, and it does not say which.
                self._close()
                backoff.wait(stop)
            finally:
                self.active = False
        self._close()

    def health(self) -> dict[str, Any]:
        if self._waits_for:
            return {"status": "UNKNOWN", "details": {"error": self._waits_for, "active": False}}
        return up(active=self.active)

    def _relay(self, stop: threading.Event, backoff: Backoff) -> None:
        autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with autocommit.connect() as connection, selectors.DefaultSelector() as selector:
            try:
                self._wake_ups.listen(connection, selector)
                while not stop.is_set():
                    self.active = self.active or self._takes_lead(connection)
                    if self.active:
                        # Made before the first order needs it: it takes a tenth of a second.
                        self._producer = self._producer or self._make_producer()
                        self._publish_all()
                    self._waits_for = ""
                    backoff.reset()
                    notified = self._wait(selector)
                    if notified and not self.active:
                        wake_ups.pass_on(connection, notified)
                if self.active:
                    self._publish_batch()
            finally:
                # Its lock and subscription must not go back to the pool with it.
                connection.invalidate()

    def _takes_lead(self, connection: Any) -> bool:
        return bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtext('outbox'))")))

    def _wait(self, selector: selectors.BaseSelector) -> Urgency:
        """Until the next batch is due, or the sweep; what this process was told meanwhile."""
        here, elsewhere = self._wake_ups.receive(selector, SWEEP_SECONDS)
        while self.active and (urgency := max(here, elsewhere)):
            gather = SHORTEST_GATHER_SECONDS if urgency is Urgency.AWAITED else self._gather
            left = self._last_batch + gather - time.monotonic()
            if left <= 0:
                break
            more_here, more_elsewhere = self._wake_ups.receive(selector, left)
            here, elsewhere = max(here, more_here), max(elsewhere, more_elsewhere)
        return here

    def _publish_all(self) -> None:
        """Until nothing is left."""
        while self._publish_batch() == BATCH:
            pass

    def _publish_batch(self) -> int:
        """Publish the oldest rows; how many that were.

        They are deleted for good by the commit, after the broker has acknowledged them all.  A
        crash in between publishes them again: consumers know them by `ce_id`.
        """
        with self._engine.begin() as connection:
            rows = connection.execute(self._take, {"batch": BATCH}).all()
            if rows:
                self._last_batch = time.monotonic()
                kill_points.kill_point(kill_points.BEFORE_PUBLISH)
                self._publish(rows)
                kill_points.kill_point(kill_points.AFTER_PUBLISH)
        return len(rows)

    def _publish(self, rows: Sequence[Row[Any]]) -> None:
        producer = self._producer = self._producer or self._make_producer()
        partitions = {
            topic: producer.partitions_for(topic) for topic in {row.topic for row in rows}
        }
        sent = [self._send(producer, row, len(partitions[row.topic])) for row in rows]
        producer.flush(timeout=DELIVERY_SECONDS)
        try:
            for outgoing in sent:
                self._confirm(outgoing)
        except MessageSizeTooLargeError:
            # Refused by the broker: from then on this producer fails whatever it is given, and says
            # not at which row that began.
            self._close()
            if len(rows) == 1:
                self._give_up(sent[0])
            else:
                for row in rows:
                    self._publish([row])

    def _send(self, producer: KafkaProducer, row: Row[Any], partitions: int) -> "_Outgoing":
        parent = tracing.of_text(row.span) if row.span else None
        # A span of its own for what is traced; what is not only hands on that it is not.
        span = self._tracer.child_of(parent) if parent and parent.is_sampled else parent
        started = time.time()
        key = row.key.encode()
        headers = cloudevents.headers(row.event_id, row.type, self._source, row.recorded_at, span)
        outgoing = _Outgoing(row, key, headers, parent, span, started)
        with suppress(MessageSizeTooLargeError):
            # What the library's own partitioner comes to, without looking at the cluster each time.
            partition = (murmur2(key) & 0x7FFFFFFF) % partitions
            outgoing.future = producer.send(
                row.topic, key=key, value=row.payload, headers=headers, partition=partition
            )
        return outgoing

    def _confirm(self, outgoing: "_Outgoing") -> None:
        """Raise the failure, if any; the span ends where the broker has acknowledged."""
        span = outgoing.span
        if outgoing.future is None:
            self._give_up(outgoing)
        else:
            outgoing.future.get(timeout=DELIVERY_SECONDS)
        if span is not None and span.is_sampled:
            self._report(outgoing, span)

    def _report(self, outgoing: "_Outgoing", span: TraceContext) -> None:
        row = outgoing.row
        self._tracer.report(
            "wait in outbox",
            Kind.LOCAL,
            self._tracer.child_of(outgoing.parent),
            row.recorded_at.timestamp(),
            remote=None,
            tags={"ce.type": row.type},
            ended=outgoing.started,
        )
        self._tracer.report(
            f"send {row.topic}",
            Kind.PRODUCER,
            span,
            outgoing.started,
            remote="kafka",
            tags={"kafka.topic": row.topic, "ce.type": row.type, "kafka.key": row.key},
        )

    def _give_up(self, outgoing: "_Outgoing") -> None:
        """It will never fit, and all that come after it would wait for ever."""
        self._dead_letters.send(outgoing, "the event is too large for its topic")

    def _close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=2)
            self._producer = None
        self._dead_letters.close()


@dataclass(slots=True)
class _Outgoing:
    """A row on its way, as a record; `future` is None when it is too large to be sent."""

    row: Row[Any]
    key: bytes
    headers: RecordHeaders
    parent: TraceContext | None
    span: TraceContext | None
    started: float
    future: Any = None

    @property
    def topic(self) -> str:
        return str(self.row.topic)

    @property
    def value(self) -> bytes:
        return bytes(self.row.payload)

    @property
    def place(self) -> str:
        return f"outbox, position {self.row.position}"


def _take(table: Table) -> Executable:
    """Delete the oldest rows and return them in their order, by one statement."""
    oldest = select(table.c.position).order_by(table.c.position).limit(bindparam("batch"))
    taken = delete(table).where(table.c.position.in_(oldest)).returning(*table.c).cte("taken")
    return select(taken).order_by(taken.c.position)


def on_commit(sessions: sessionmaker[Session], notify: Callable[[bool], None]) -> None:
    """Call `notify` after each commit of a session of `sessions` that has recorded messages.

    It is told whether somebody waits for what comes of one of them.
    """

    def committed(session: Session) -> None:
        is_awaited = session.info.pop(RECORDED, None)
        if is_awaited is not None:
            notify(is_awaited)

    event.listen(sessions, "after_commit", committed)
