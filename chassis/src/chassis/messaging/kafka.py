"""kafka-python's clients as this project uses them.

Their constructors wait for a broker, so they are called by the background thread that owns them.
One that finds none raises and leaves a thread behind, so a broker is looked for before.
"""

import socket
from typing import Any

from kafka import KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaConnectionError

from chassis.core.environment import Environment

# A SIGKILLed member holds its partitions that long; the same instance gets them back at once.
SESSION_MILLISECONDS = 6_000

FULL_BATCH = 500
# The limit of the dead letters' topics: double that of the others, which is Kafka's default.
LARGEST_DEAD_LETTER = 2 * 1024 * 1024
CONNECT_SECONDS = 2.0


def producer(servers: str, environment: Environment) -> KafkaProducer:
    """Idempotent, acknowledged by all replicas: the library's defaults."""
    return KafkaProducer(
        **_common(servers, environment),
        max_block_ms=5_000,
        delivery_timeout_ms=20_000,
        # The relay flushes, which waits for no more; till then a batch fills.
        linger_ms=50,
        batch_size=131_072,
    )


def dead_letter_producer(servers: str, environment: Environment) -> KafkaProducer:
    """Takes what any record may be, and the reason beside it."""
    return KafkaProducer(
        **_common(servers, environment),
        max_block_ms=5_000,
        delivery_timeout_ms=20_000,
        max_request_size=LARGEST_DEAD_LETTER,
        # An idempotent producer is of no more use after a record that the broker has refused.
        enable_idempotence=False,
        acks="all",
    )


def consumer(servers: str, environment: Environment) -> KafkaConsumer:
    """A member of the service's group that keeps its partitions over a quick restart."""
    return KafkaConsumer(
        **_common(servers, environment),
        group_id=environment.service,
        group_instance_id=environment.instance,
        session_timeout_ms=SESSION_MILLISECONDS,
        heartbeat_interval_ms=1_000,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        partition_assignment_strategy=[CooperativeStickyAssignor],
        max_poll_records=FULL_BATCH,
        # How long the broker holds a question to which it has no answer: it costs CPU at both ends.
        fetch_max_wait_ms=1_000,
        metadata_max_age_ms=10_000,
    )


def listener(servers: str, environment: Environment) -> KafkaConsumer:
    """Reads what is published from now on, in no group, and commits no offsets."""
    return KafkaConsumer(
        **_common(servers, environment),
        group_id=None,
        auto_offset_reset="latest",
        enable_auto_commit=False,
        # An event is answered with at once; no partition comes or goes that would have to wait.
        fetch_max_wait_ms=5_000,
        metadata_max_age_ms=10_000,
    )


def _refuse_absent(servers: str) -> None:
    for server in servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
                return
        except OSError:
            continue
    raise KafkaConnectionError(f"no broker takes connections at {servers}")


def _common(servers: str, environment: Environment) -> dict[str, Any]:
    _refuse_absent(servers)
    return {
        "bootstrap_servers": servers,
        "client_id": environment.instance,
        "bootstrap_timeout_ms": 2_000,
        "reconnect_backoff_max_ms": 1_000,
        "request_timeout_ms": 10_000,
        "metrics_enabled": False,
        "allow_auto_create_topics": False,
    }
