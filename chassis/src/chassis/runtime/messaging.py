"""Puts a service's relay and consumer among the workers of its process."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from chassis.messaging import kafka
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letter_limit import DeadLetterLimit
from chassis.messaging.dead_letters import DeadLetterProducer
from chassis.messaging.inbox import Inbox
from chassis.messaging.outbox import Outbox
from chassis.messaging.processing import EventProcessor, Handler
from chassis.messaging.relay import SHORTEST_GATHER_SECONDS, OutboxRelay, on_commit
from chassis.runtime.service import Process


def publish(
    process: Process[Any],
    engine: Engine,
    sessions: sessionmaker[Session],
    table: Outbox,
    gather: float = SHORTEST_GATHER_SECONDS,
) -> None:
    """Publish what `sessions` record in the outbox, from the start of `process` on.

    What nobody waits for may gather for `gather` seconds.
    """
    relay = OutboxRelay(
        table,
        engine,
        process.tracer,
        process.environment.service,
        lambda: kafka.producer(_servers(process), process.environment),
        _dead_letters(process),
        gather,
    )
    on_commit(sessions, relay.notify)
    process.workers.add("outbox-relay", relay.run)
    process.actuator.health.add("outbox", relay.health)


def consume(
    process: Process[Any],
    sessions: sessionmaker[Session],
    inbox: Inbox,
    topics: Sequence[str],
    models: Mapping[str, type[BaseModel]],
    handler: Handler,
) -> None:
    """Let events of `models` on `topics` have their effect, from the start of `process` on."""
    dead_letters = _dead_letters(process)
    limit = DeadLetterLimit(process.live.map(lambda settings: settings.fusebox.dead_letters))
    consumer = Consumer(
        process.environment.service,
        topics,
        EventProcessor(models, handler, inbox, sessions, process.tracer, dead_letters, limit),
        dead_letters,
        lambda: kafka.consumer(_servers(process), process.environment),
    )
    process.workers.add("events", consumer.run)
    process.actuator.health.add("consumer", consumer.health, readiness=True)
    process.metrics.add(consumer.metrics)


def _dead_letters(process: Process[Any]) -> DeadLetterProducer:
    return DeadLetterProducer(
        process.environment.service,
        process.tracer,
        lambda: kafka.dead_letter_producer(_servers(process), process.environment),
    )


def _servers(process: Process[Any]) -> str:
    return process.settings.spring.kafka.bootstrap_servers  # type: ignore[no-any-return]
