"""Records of the topic `orders` as the tour handles them: read again, sent again, sent wrong."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from typing import Any

from fusebox import dead
from fusebox.dead import DeadLetter
from fusebox.errors import Fault
from fusebox.stack import Stack

TOPIC = "orders"
FIND_SECONDS = 15.0
DELIVERY_SECONDS = 15
REQUEST_TIMEOUT_MS = 7_000
BOOTSTRAP_MILLISECONDS = 5_000
POISON = b'{"orderId": "oops'


class Records:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._servers = f"{stack.host}:{stack.port('kafka')}"

    def ends(self) -> dict[int, int]:
        """Where each partition of `orders` ends now."""
        with closing(self._consumer()) as consumer:
            found = consumer.end_offsets(_partitions(consumer))
            return {each.partition: offset for each, offset in found.items()}

    def placed(self, order_id: str, since: dict[int, int]) -> Any:
        """The record that tells of `order_id`, looked for from the offsets `since` on."""
        with closing(self._consumer()) as consumer:
            partitions = _partitions(consumer)
            consumer.assign(partitions)
            for each in partitions:
                consumer.seek(each, since[each.partition])
            end = time.monotonic() + FIND_SECONDS
            while time.monotonic() < end:
                for batch in consumer.poll(timeout_ms=500).values():
                    for record in batch:
                        if record.key == order_id.encode():
                            return record
        raise Fault(f"Kafka has no record of order {order_id}", remedy="see `make verify`.")

    def send_again(self, record: Any, times: int) -> None:
        """The same bytes with the same `ce_id`, as a producer that was never answered does it."""
        with closing(self._producer()) as producer:
            sent = [
                producer.send(TOPIC, record.value, key=record.key, headers=list(record.headers))
                for _ in range(times)
            ]
            for each in sent:
                each.get(timeout=DELIVERY_SECONDS)

    def poison(self, beside: Any) -> str:
        """Send an unreadable record into the partition of `beside`; returns its `ce_id`."""
        ce_id = str(uuid.uuid4())
        headers = [
            ("ce_id", ce_id.encode()),
            ("ce_source", b"the-tour"),
            ("ce_type", b"order.placed"),
        ]
        with closing(self._producer()) as producer:
            sent = producer.send(
                TOPIC, POISON, key=ce_id.encode(), headers=headers, partition=beside.partition
            )
            sent.get(timeout=DELIVERY_SECONDS)
        return ce_id

    def dead_letter(self, key: str) -> DeadLetter | None:
        """The dead letter with that key, if there is one."""
        return next((each for each in dead.letters(self._stack) if each.key == key), None)

    def _consumer(self) -> Any:
        from kafka import KafkaConsumer

        return KafkaConsumer(
            bootstrap_servers=self._servers,
            group_id=None,
            bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
        )

    def _producer(self) -> Any:
        from kafka import KafkaProducer

        return KafkaProducer(
            bootstrap_servers=self._servers,
            bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
            delivery_timeout_ms=DELIVERY_SECONDS * 1000,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )


def _partitions(consumer: Any) -> list[Any]:
    from kafka import TopicPartition

    return [TopicPartition(TOPIC, each) for each in consumer.partitions_for_topic(TOPIC) or ()]
