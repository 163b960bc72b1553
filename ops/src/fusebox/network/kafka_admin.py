"""Asking a broker of Kafka: whether it answers, its topics, and its consumer groups."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from contextlib import suppress

from fusebox.core.stack import Stack
from fusebox.core.topology import DEAD_LETTER_PARTITIONS, DEAD_LETTERS, TOPICS, Topic

API_VERSIONS = struct.pack(">hhih7s", 18, 0, 1, 7, b"fusebox")
REQUEST_TIMEOUT_MS = 15_000
DAY_MS = 86_400_000


def answers(host: str, port: int, timeout: float = 2.0) -> bool:
    """Whether the broker answers a request: it does once it has caught up with its metadata."""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def servers(stack: Stack) -> str:
    host, port = stack.address("kafka")
    return f"{host}:{port}"


def topics_version() -> str:
    """Changes with the topics that the shop needs."""
    return repr(_all_topics())


def make_topics(servers: str) -> list[str]:
    """Make those of the shop's topics that are missing, whose names are returned.

    The others get the options that they are to have.
    """
    from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        declared, existing = _all_topics(), set(admin.list_topics())
        missing = {name: options for name, options in declared.items() if name not in existing}
        if missing:
            admin.create_topics(missing)
        # A shop of an older version has them with other options.
        admin.alter_configs(
            [
                ConfigResource(ConfigResourceType.TOPIC, name, declared[name]["configs"])
                for name in declared
                if name in existing and declared[name]["configs"]
            ]
        )
        return list(missing)
    finally:
        admin.close()


def _all_topics() -> dict[str, dict[str, object]]:
    """The options of every topic and of its dead letters', by name."""
    dead = {
        "num_partitions": DEAD_LETTER_PARTITIONS,
        "replication_factor": 1,
        "configs": {
            "retention.ms": str(DEAD_LETTERS.retention_days * DAY_MS),
            "max.message.bytes": str(DEAD_LETTERS.max_message_bytes),
        },
    }
    return {topic.name: _options(topic) for topic in TOPICS} | {
        topic.dead_letter_topic: dead for topic in TOPICS if topic.dead_letters
    }


def _options(topic: Topic) -> dict[str, object]:
    configs = {"cleanup.policy": "compact"} if topic.compacted else {}
    return {"num_partitions": topic.partitions, "replication_factor": 1, "configs": configs}


def forget_members(stack: Stack, group: str, instances: Sequence[str]) -> None:
    """Give the partitions of `instances`, which are gone for good, to the others of `group` now.

    Else Kafka would keep them for their return until the session ends, seconds later.
    """
    from kafka.admin import KafkaAdminClient, MemberToRemove
    from kafka.errors import KafkaError

    if not answers(*stack.address("kafka")):
        return
    with suppress(KafkaError):  # it will find out by itself
        admin = KafkaAdminClient(
            bootstrap_servers=servers(stack), request_timeout_ms=REQUEST_TIMEOUT_MS
        )
        try:
            members = [MemberToRemove(group_instance_id=instance) for instance in instances]
            admin.remove_group_members(group, members)
        finally:
            admin.close()


def unread(stack: Stack, topic: str, group: str) -> int:
    """How many records of `topic` consumer group `group` has still before it."""
    from kafka import KafkaConsumer, TopicPartition

    consumer = KafkaConsumer(
        bootstrap_servers=servers(stack),
        group_id=group,
        enable_auto_commit=False,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    try:
        partitions = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
        ends = consumer.end_offsets(partitions)
        return sum(
            ends[partition] - (consumer.committed(partition) or 0) for partition in partitions
        )
    finally:
        consumer.close(autocommit=False)
