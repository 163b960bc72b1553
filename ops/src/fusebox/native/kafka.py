"""Kafka: one KRaft node, its settings, its storage, its topics, and whether it answers."""

from __future__ import annotations

import base64
import socket
import struct
import uuid
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from fusebox.core.files import write_whole
from fusebox.core.stack import Stack
from fusebox.core.topology import DEAD_LETTER_PARTITIONS, TOPICS, Topic
from fusebox.native.jars import Jar, jar_folder, read_lock
from fusebox.native.jvm import JavaProgram

API_VERSIONS = struct.pack(">hhih7s", 18, 0, 1, 7, b"fusebox")
REQUEST_TIMEOUT_MS = 15_000


def kafka_jars(stack: Stack) -> list[Jar]:
    return [jar for jar in read_lock(stack.native / "jars.lock") if jar.used_by == "kafka"]


def program(stack: Stack, main: str = "kafka.Kafka") -> JavaProgram:
    return JavaProgram(
        name="kafka",
        main=main,
        options=stack.native / "kafka.jvm",
        class_path=tuple(jar_folder() / jar.file for jar in kafka_jars(stack)),
    )


def settings_file(stack: Stack) -> Path:
    return stack.run / "kafka.properties"


def command(stack: Stack) -> list[str]:
    return program(stack).command(arguments=(str(settings_file(stack)),))


def write_settings(
    path: Path, template: Path, bind: str, host: str, ports: tuple[int, int], data: Path
) -> None:
    """`ports` are the clients' and the controller's, which never leaves this machine."""
    client, controller = ports
    own = {
        "listeners": f"PLAINTEXT://{bind}:{client},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://{host}:{client}",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "log.dirs": str(data),
    }
    lines = "".join(f"{name}={value}\n" for name, value in own.items())
    write_whole(path, f"{template.read_text()}\n{lines}".encode())


def data_folder(stack: Stack) -> Path:
    return stack.data / "kafka"


def write_settings_of(stack: Stack) -> Path:
    path = settings_file(stack)
    ports = stack.port("kafka"), stack.port("kafka-controller")
    template = stack.native / "kafka.properties"
    write_settings(path, template, stack.bind, stack.host, ports, data_folder(stack))
    return path


def format_command(stack: Stack, settings: Path) -> list[str]:
    cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    storage_tool = program(stack, "kafka.tools.StorageTool")
    return storage_tool.command(
        # In one word: an id may begin with a dash.
        arguments=("format", "--ignore-formatted", f"--cluster-id={cluster}", "-c", str(settings))
    )


def is_formatted(data: Path) -> bool:
    # Written last by the storage tool, so a half-formatted folder is formatted again.
    return (data / "meta.properties").exists()


def answers(host: str, port: int, timeout: float = 2.0) -> bool:
    """Whether the broker answers a request: it does once it has caught up with its metadata."""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(struct.pack(">i", len(API_VERSIONS)) + API_VERSIONS)
            return len(connection.recv(4)) == 4
    except OSError:
        return False


def topics_version() -> str:
    return repr(_all_topics())


def servers(stack: Stack) -> str:
    host, port = stack.address("kafka")
    return f"{host}:{port}"


def make_topics(servers: str) -> list[str]:
    """Make those of the shop's topics that are missing; returns their names."""
    from kafka.admin import KafkaAdminClient

    admin = KafkaAdminClient(bootstrap_servers=servers, request_timeout_ms=REQUEST_TIMEOUT_MS)
    try:
        there = set(admin.list_topics())
        missing = {name: options for name, options in _all_topics().items() if name not in there}
        if missing:
            admin.create_topics(missing)
        return list(missing)
    finally:
        admin.close()


def _all_topics() -> dict[str, dict[str, object]]:
    """The options of every topic and of its dead letters', by name."""
    dead = [
        Topic(topic.dead_letter_topic, DEAD_LETTER_PARTITIONS)
        for topic in TOPICS
        if topic.dead_letters
    ]
    return {topic.name: _options(topic) for topic in (*TOPICS, *dead)}


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
        return sum(ends[each] - (consumer.committed(each) or 0) for each in partitions)
    finally:
        consumer.close(autocommit=False)
