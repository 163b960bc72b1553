"""What becomes of a batch of records: an effect in one transaction, a dead letter, or a stop.

A record that is wrong goes to the dead letters, whatever its handler raised, and the next one is
handled.  A world that is wrong (database or Kafka away) skips nothing: the error goes up.  When too
many are wrong it is not their fault, see DeadLetterLimit: ConsumptionStopped goes up.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from sqlalchemy.orm import Session, sessionmaker

from chassis.chaos import kill_points
from chassis.core.errors import Problem, first_line
from chassis.messaging import cloudevents
from chassis.messaging.cloudevents import BadRecord
from chassis.messaging.dead_letter_limit import DeadLetterLimit, DeadLetterReason
from chassis.messaging.dead_letters import DeadLetterProducer
from chassis.messaging.event import Event
from chassis.messaging.inbox import Inbox
from chassis.messaging.outages import something_is_away
from chassis.observability import tracing
from chassis.observability.tracing import Kind, Tracer

log = logging.getLogger(__name__)

Handler = Callable[[Session, Sequence[Event]], None]


class ConsumptionStopped(Exception):
    """`record` could be neither handled nor given up; all before it in its batch are done."""

    def __init__(self, record: Any, reason: str, refusal: str) -> None:
        super().__init__(
            f"{record.topic}/{record.partition}/{record.offset}: {reason}. {refusal}, so nothing "
            "more goes to the dead letters (fusebox.dead-letters); it is tried again and again"
        )
        self.record = record


@dataclass(slots=True)
class _Reading:
    """A record with its event, or with the reason why it has none; neither is for others."""

    record: Any
    event: Event | None = None
    reason: str = ""


class EventProcessor:
    """`models` are the event types this service reads, and `handler` is their effect.

    It gets a batch in the order of its partitions, duplicates taken out, and raises when an event
    can never have its effect.
    """

    def __init__(
        self,
        models: Mapping[str, type[BaseModel]],
        handler: Handler,
        inbox: Inbox,
        sessions: sessionmaker[Session],
        tracer: Tracer,
        dead_letters: DeadLetterProducer,
        limit: DeadLetterLimit,
    ) -> None:
        self._models = models
        self._handler = handler
        self._inbox = inbox
        self._sessions = sessions
        self._tracer = tracer
        self._dead_letters = dead_letters
        self._limit = limit

    def process(self, records: Sequence[Any]) -> bool:
        """Let `records` have their effect, once each; what is wrong with one hurts no other.

        Whether any has become a dead letter.
        """
        readings = [self._read(record) for record in records]
        events = [reading for reading in readings if reading.event is not None]
        together = not events or self._is_handled(events)
        if together and not any(reading.reason for reading in readings):
            for topic, handled in Counter(reading.record.topic for reading in events).items():
                self._limit.succeeded(topic, handled)
            return False
        letters = False
        for reading in readings:
            if reading.reason:
                letters = True
                self._give_up(reading.record, DeadLetterReason.INVALID, reading.reason)
            elif reading.event is not None:
                failure = "" if together else self._handled_alone(reading)
                if failure:
                    letters = True
                    self._give_up(reading.record, DeadLetterReason.FAILED, failure)
                else:
                    self._limit.succeeded(reading.record.topic)
        return letters

    def _read(self, record: Any) -> _Reading:
        try:
            event = cloudevents.parse(record.key, record.value, record.headers, self._models)
        except BadRecord as error:
            return _Reading(record, reason=str(error))
        # Whatever else its bytes have the parser raise: the next record must have its turn.
        except Exception as error:  # noqa: BLE001
            return _Reading(record, reason=_described(error))
        return _Reading(record, event and self._with_own_span(event))

    def _is_handled(self, events: Sequence[_Reading]) -> bool:
        """False when one of them is wrong, and none has had an effect."""
        try:
            self._effect(events)
        except Exception as error:
            if something_is_away(error):
                raise
            log.info("one of %d events is wrong: %s", len(events), _described(error))
            return False
        return True

    def _handled_alone(self, reading: _Reading) -> str:
        """Why it could not be; empty when it was."""
        try:
            self._effect([reading])
        except Exception as error:
            if something_is_away(error):
                raise
            log.warning("an event cannot be handled", exc_info=error)
            return _described(error)
        return ""

    def _give_up(self, record: Any, fault: DeadLetterReason, reason: str) -> None:
        refusal = self._limit.refusal(record.topic, fault)
        if refusal:
            raise ConsumptionStopped(record, reason, refusal)
        self._dead_letters.send(record, reason)

    def _effect(self, readings: Sequence[_Reading]) -> None:
        started = time.time()
        events = [reading.event for reading in readings if reading.event is not None]
        with self._sessions.begin() as session:
            self._begin(session, events)
            fresh = self._inbox.claim(session, events)
            if fresh:
                self._handler(session, fresh)
            kill_points.kill_point(kill_points.CONSUMED_BEFORE_COMMIT)
        kill_points.kill_point(kill_points.CONSUMED_AFTER_COMMIT)
        handled = {event.id for event in fresh}
        for reading in readings:
            if reading.event is not None and reading.event.id in handled:
                handled.remove(reading.event.id)
                self._report(reading.record.topic, reading.event, started)

    @staticmethod
    def _begin(session: Session, events: Sequence[Event]) -> None:
        """Let the transaction be seen in the trace of one event that is kept."""
        contexts = (event.trace_context for event in events)
        traced = next((context for context in contexts if context and context.is_sampled), None)
        if traced is not None:
            with tracing.continued(traced):
                session.connection()

    def _report(self, topic: str, event: Event, started: float) -> None:
        if event.trace_context is not None and event.trace_context.is_sampled:
            self._tracer.report(
                f"receive {topic}",
                Kind.CONSUMER,
                event.trace_context,
                started,
                remote="kafka",
                tags={"kafka.topic": topic, "ce.type": event.type, "kafka.key": event.key},
            )

    def _with_own_span(self, event: Event) -> Event:
        if event.trace_context is None or not event.trace_context.is_sampled:
            return event
        return replace(event, trace_context=self._tracer.child_of(event.trace_context))


def _described(error: Exception) -> str:
    """A Problem's own words are for people; of any other error the type says more."""
    text = first_line(error)
    return text if isinstance(error, Problem) else f"{type(error).__name__}: {text}"
