"""Spring Cloud Bus over Kafka: an event on its topic has the processes it names refresh.

Only this process listens, and tells the others itself: so a gateway needs no Kafka client, and a
Spring application on the same topic is heard, and hears.
"""

import json
import logging
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from chassis.actuator.endpoints import ANY, Actuator, Asked, Reply
from chassis.core.errors import Unavailable
from config_server.notify.announcer import ALL, Destination

log = logging.getLogger(__name__)

TOPIC = "springCloudBus"
TYPE = "RefreshRemoteApplicationEvent"
POLL_MILLISECONDS = 250
DELIVERY_SECONDS = 5
LONGEST_PAUSE = 5.0


class Bus:
    """`listen` is for Workers."""

    def __init__(
        self,
        origin: str,
        heard: Callable[[Destination], None],
        consumer: Callable[[], KafkaConsumer],
        producer: Callable[[], KafkaProducer],
    ) -> None:
        self._origin = origin
        self._heard = heard
        self._make_consumer = consumer
        self._make_producer = producer

    def publish(self, destination: str) -> None:
        """Raises Unavailable when Kafka does not take it."""
        try:
            producer = self._make_producer()
            try:
                producer.send(TOPIC, self._event(destination)).get(timeout=DELIVERY_SECONDS)
            finally:
                producer.close(timeout=1)
        except KafkaError as error:
            raise Unavailable(
                "Kafka does not answer, so nobody was told; POST /actuator/refresh at a process "
                "works without it."
            ) from error

    def listen(self, stop: threading.Event) -> None:
        pause = 0.5
        while not stop.is_set():
            try:
                self._consume(stop)
            except KafkaError as error:
                log.info("the bus is silent: %s", error)
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _consume(self, stop: threading.Event) -> None:
        consumer = self._make_consumer()
        try:
            consumer.subscribe([TOPIC])
            while not stop.is_set():
                for records in consumer.poll(timeout_ms=POLL_MILLISECONDS).values():
                    for record in records:
                        self._hear(record.value)
        finally:
            consumer.close(autocommit=False)

    def _hear(self, value: bytes | None) -> None:
        try:
            event = json.loads(value or b"")
            if event["type"] == TYPE:
                self._heard(Destination.of(str(event["destinationService"])))
        except (ValueError, TypeError, KeyError) as error:
            # Others may speak on this topic, of things that are not for us.
            log.info("not understood on the bus: %s", error)

    def _event(self, destination: str) -> bytes:
        event: dict[str, Any] = {
            "type": TYPE,
            "timestamp": int(time.time() * 1000),
            "originService": self._origin,
            "destinationService": destination,
            "id": str(uuid.uuid4()),
        }
        return json.dumps(event).encode()


def add_pages(actuator: Actuator, bus: Bus) -> None:
    """`POST /actuator/busrefresh[/{destination}]`."""

    def refresh(asked: Asked) -> Reply:
        bus.publish(asked.name)
        return Reply(b"", 204)

    actuator.add("busrefresh", lambda asked: refresh(asked._replace(name=ALL)), method="POST")
    actuator.add("busrefresh" + ANY, refresh, method="POST")
