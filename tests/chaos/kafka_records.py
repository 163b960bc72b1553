"""The records in Kafka: read as they were published, and published once more."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from fusebox.network import kafka_admin
from fusebox.runtime import remote

from ..running import RunningShop

DECISIONS = ("stock.reserved", "stock.rejected")
# Which topic is consumed by which service's group.
SUBSCRIPTIONS = (
    ("orders", "catalog-service"),
    ("catalog", "order-service"),
    ("products", "order-service"),
)

Headers = list[tuple[str, bytes]]


def servers(shop: RunningShop) -> str:
    return shop.kafka


def records(shop: RunningShop, topic: str, keys: Iterable[str]) -> list[Any]:
    """Those of `topic` with one of `keys`, up to now."""
    wanted_keys = {key.encode() for key in keys}
    consumer = KafkaConsumer(bootstrap_servers=servers(shop), group_id=None)
    with closing(consumer):
        partitions = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
        ends = consumer.end_offsets(partitions)
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        matching: list[Any] = []
        while any(consumer.position(partition) < ends[partition] for partition in partitions):
            for batch in consumer.poll(timeout_ms=500).values():
                matching += [record for record in batch if record.key in wanted_keys]
    return matching


def decisions(shop: RunningShop, order_ids: Iterable[str]) -> Counter[str]:
    """How many decisions each order has got; one that was published twice is one."""
    events = {
        (record.key.decode(), dict(record.headers)["ce_id"])
        for record in records(shop, "catalog", order_ids)
        if dict(record.headers)["ce_type"].decode() in DECISIONS
    }
    return Counter(order_id for order_id, _ in events)


def send(shop: RunningShop, topic: str, sent: Iterable[tuple[bytes, bytes, Headers]]) -> None:
    """Key, value and headers of each, in this order."""
    with closing(KafkaProducer(bootstrap_servers=servers(shop))) as producer:
        for key, value, headers in sent:
            producer.send(topic, value, key=key, headers=headers)
        producer.flush()


def headers(ce_type: str) -> Headers:
    """Of an event of our own making."""
    attributes = {
        "ce_id": str(uuid.uuid4()),
        "ce_source": "test",
        "ce_type": ce_type,
        "ce_specversion": "1.0",
        "ce_time": "2026-01-01T00:00:00Z",
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in attributes.items()]


def await_no_lag(shop: RunningShop) -> None:
    """Until every service has handled every event that lies there."""

    def is_consumed() -> bool:
        return not any(
            remote.run(shop.stack, kafka_admin.unread, topic, group)
            for topic, group in SUBSCRIPTIONS
        )

    shop.until(is_consumed, 30)
