"""Kafka records of the topic `orders`: read again, sent again, sent unreadable."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.network import kafka_admin
from fusebox.operations import dead_letters
from fusebox.operations.dead_letters import DeadLetter
from fusebox.runtime import remote

TOPIC = "orders"
FIND_SECONDS = 15.0
DELIVERY_SECONDS = 15
REQUEST_TIMEOUT_MS = 7_000
BOOTSTRAP_MILLISECONDS = 5_000
POISON = b'{"orderId": "oops'


@dataclass(frozen=True)
class KafkaRecord:
    """A record with what is needed to send it again."""

    partition: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


class OrderRecords:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def end_offsets(self) -> dict[int, int]:
        """Where the partitions of `orders` end now."""
        return remote.run(self._stack, _end_offsets)

    def order_placed(self, order_id: str, since: dict[int, int]) -> KafkaRecord:
        """The record of `order_id`, looked for from the offsets `since` on."""
        return remote.run(self._stack, _order_placed, order_id, since)

    def resend(self, record: KafkaRecord, times: int) -> None:
        """The same bytes with the same `ce_id`, as a producer does that got no acknowledgement."""
        remote.run(self._stack, _resend, record, times)

    def send_poison(self, beside: KafkaRecord) -> str:
        """Send an unreadable record into the partition of `beside`; returns its `ce_id`."""
        return remote.run(self._stack, _send_poison, beside.partition)

    def dead_letter(self, key: str) -> DeadLetter | None:
        """The dead letter with that key, if there is one."""
        letters = dead_letters.letters(self._stack)
        return next((letter for letter in letters if letter.key == key), None)

    def drop(self, letter: DeadLetter) -> None:
        dead_letters.drop(self._stack, [letter.id])


def _end_offsets(stack: Stack) -> dict[int, int]:
    with closing(_consumer(stack)) as consumer:
        offsets = consumer.end_offsets(_partitions(consumer))
        return {partition.partition: offset for partition, offset in offsets.items()}


def _order_placed(stack: Stack, order_id: str, since: dict[int, int]) -> KafkaRecord:
    with closing(_consumer(stack)) as consumer:
        partitions = _partitions(consumer)
        consumer.assign(partitions)
        for partition in partitions:
            consumer.seek(partition, since[partition.partition])
        end = time.monotonic() + FIND_SECONDS
        while time.monotonic() < end:
            for batch in consumer.poll(timeout_ms=500).values():
                for record in batch:
                    if record.key == order_id.encode():
                        return KafkaRecord(
                            record.partition, record.key, record.value, list(record.headers)
                        )
    raise Fault(f"Kafka has no record of order {order_id}", remedy="see `make verify`.")


def _resend(stack: Stack, record: KafkaRecord, times: int) -> None:
    with closing(_producer(stack)) as producer:
        deliveries = [
            producer.send(TOPIC, record.value, key=record.key, headers=record.headers)
            for _ in range(times)
        ]
        for delivery in deliveries:
            delivery.get(timeout=DELIVERY_SECONDS)


def _send_poison(stack: Stack, partition: int) -> str:
    ce_id = str(uuid.uuid4())
    headers = [
        ("ce_id", ce_id.encode()),
        ("ce_source", b"the-tour"),
        ("ce_type", b"order.placed"),
    ]
    with closing(_producer(stack)) as producer:
        delivery = producer.send(
            TOPIC, POISON, key=ce_id.encode(), headers=headers, partition=partition
        )
        delivery.get(timeout=DELIVERY_SECONDS)
    return ce_id


def _consumer(stack: Stack) -> Any:
    from kafka import KafkaConsumer

    return KafkaConsumer(
        bootstrap_servers=kafka_admin.servers(stack),
        group_id=None,
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
    )


def _producer(stack: Stack) -> Any:
    from kafka import KafkaProducer

    return KafkaProducer(
        bootstrap_servers=kafka_admin.servers(stack),
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
        delivery_timeout_ms=DELIVERY_SECONDS * 1000,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def _partitions(consumer: Any) -> list[Any]:
    from kafka import TopicPartition

    numbers = consumer.partitions_for_topic(TOPIC) or ()
    return [TopicPartition(TOPIC, number) for number in numbers]
