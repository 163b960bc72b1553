"""Spring Cloud Bus over Kafka: an event on its topic makes the processes that it names refresh.

Only this process listens, and refreshes the others by HTTP: so a gateway needs no Kafka client.
Spring applications on the same topic take part.
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

from chassis.actuator.endpoints import ANY, Actuator, ActuatorRequest, ActuatorResponse
from chassis.core.backoff import Backoff
from chassis.core.errors import Unavailable
from config_server.notify.announcer import ALL, BusDestination

log = logging.getLogger(__name__)

TOPIC = "springCloudBus"
TYPE = "RefreshRemoteApplicationEvent"
POLL_MILLISECONDS = 500
DELIVERY_SECONDS = 5
LONGEST_BACKOFF = 5.0


class ConfigBus:
    """`listen` is for Workers."""

    def __init__(
        self,
        origin: str,
        on_refresh: Callable[[BusDestination], None],
        consumer: Callable[[], KafkaConsumer],
        producer: Callable[[], KafkaProducer],
    ) -> None:
        self._origin = origin
        self._on_refresh = on_refresh
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
                "Kafka does not answer, so no process was refreshed. POST /actuator/refresh at a "
                "process works without it."
            ) from error

    def listen(self, stop: threading.Event) -> None:
        backoff = Backoff(0.5, LONGEST_BACKOFF)
        while not stop.is_set():
            try:
                self._consume(stop)
            except KafkaError as error:
                log.info("the bus does not answer: %s", error)
                backoff.wait(stop)

    def _consume(self, stop: threading.Event) -> None:
        consumer = self._make_consumer()
        try:
            consumer.subscribe([TOPIC])
            while not stop.is_set():
                for records in consumer.poll(timeout_ms=POLL_MILLISECONDS).values():
                    for record in records:
                        self._handle(record.value)
        finally:
            consumer.close(autocommit=False)

    def _handle(self, value: bytes | None) -> None:
        try:
            event = json.loads(value or b"")
            if event["type"] == TYPE:
                self._on_refresh(BusDestination.of(str(event["destinationService"])))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            # Other events on this topic are not for us.
            log.info("event on the bus ignored: %s", error)

    def _event(self, destination: str) -> bytes:
        event: dict[str, Any] = {
            "type": TYPE,
            "timestamp": int(time.time() * 1000),
            "originService": self._origin,
            "destinationService": destination,
            "id": str(uuid.uuid4()),
        }
        return json.dumps(event).encode()


def add_endpoints(actuator: Actuator, bus: ConfigBus) -> None:
    """`POST /actuator/busrefresh[/{destination}]`."""

    def refresh(request: ActuatorRequest) -> ActuatorResponse:
        bus.publish(request.name)
        return ActuatorResponse(b"", 204)

    actuator.add("busrefresh", lambda request: refresh(request._replace(name=ALL)), method="POST")
    actuator.add("busrefresh" + ANY, refresh, method="POST")
