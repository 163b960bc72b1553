"""Records of the topic `orders` as the tour handles them: read again, sent again, sent wrong."""

from __future__ import annotations

import time
import uuid
from contextlib import closing
from typing import Any

from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.native import kafka
from fusebox.operations import dead_letters
from fusebox.operations.dead_letters import DeadLetter
from fusebox.runtime import remote

TOPIC = "orders"
FIND_SECONDS = 15.0
DELIVERY_SECONDS = 15
REQUEST_TIMEOUT_MS = 7_000
BOOTSTRAP_MILLISECONDS = 5_000
POISON = b'{"orderId": "oops'


class Records:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def ends(self) -> dict[int, int]:
        """Where each partition of `orders` ends now."""
        return remote.run(self._stack, _ends)

    def placed(self, order_id: str, since: dict[int, int]) -> Any:
        """The record that tells of `order_id`, looked for from the offsets `since` on."""
        return remote.run(self._stack, _placed, order_id, since)

    def send_again(self, record: Any, times: int) -> None:
        """The same bytes with the same `ce_id`, as a producer that was never answered does it."""
        remote.run(self._stack, _send_again, record, times)

    def poison(self, beside: Any) -> str:
        """Send an unreadable record into the partition of `beside`; returns its `ce_id`."""
        return remote.run(self._stack, _poison, beside.partition)

    def dead_letter(self, key: str) -> DeadLetter | None:
        """The dead letter with that key, if there is one."""
        return next((each for each in dead_letters.letters(self._stack) if each.key == key), None)


def _ends(stack: Stack) -> dict[int, int]:
    with closing(_consumer(stack)) as consumer:
        found = consumer.end_offsets(_partitions(consumer))
        return {each.partition: offset for each, offset in found.items()}


def _placed(stack: Stack, order_id: str, since: dict[int, int]) -> Any:
    with closing(_consumer(stack)) as consumer:
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


def _send_again(stack: Stack, record: Any, times: int) -> None:
    with closing(_producer(stack)) as producer:
        sent = [
            producer.send(TOPIC, record.value, key=record.key, headers=list(record.headers))
            for _ in range(times)
        ]
        for each in sent:
            each.get(timeout=DELIVERY_SECONDS)


def _poison(stack: Stack, partition: int) -> str:
    ce_id = str(uuid.uuid4())
    headers = [
        ("ce_id", ce_id.encode()),
        ("ce_source", b"the-tour"),
        ("ce_type", b"order.placed"),
    ]
    with closing(_producer(stack)) as producer:
        sent = producer.send(
            TOPIC, POISON, key=ce_id.encode(), headers=headers, partition=partition
        )
        sent.get(timeout=DELIVERY_SECONDS)
    return ce_id


def _consumer(stack: Stack) -> Any:
    from kafka import KafkaConsumer

    return KafkaConsumer(
        bootstrap_servers=kafka.servers(stack),
        group_id=None,
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
    )


def _producer(stack: Stack) -> Any:
    from kafka import KafkaProducer

    return KafkaProducer(
        bootstrap_servers=kafka.servers(stack),
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
        delivery_timeout_ms=DELIVERY_SECONDS * 1000,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )


def _partitions(consumer: Any) -> list[Any]:
    from kafka import TopicPartition

    return [TopicPartition(TOPIC, each) for each in consumer.partitions_for_topic(TOPIC) or ()]
