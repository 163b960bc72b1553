"""kafka-python's clients as this project uses them.

Their constructors wait for a broker, so they are called by the background thread that owns them.
"""

from kafka import KafkaConsumer, KafkaProducer
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor

from chassis.environment import Environment

# A SIGKILLed member holds its partitions that long; the same instance gets them back at once.
SESSION_MILLISECONDS = 6_000
BOOTSTRAP_MILLISECONDS = 2_000


def producer(servers: str, environment: Environment) -> KafkaProducer:
    """Idempotent, acknowledged by all replicas: the library's defaults."""
    return KafkaProducer(
        bootstrap_servers=servers,
        client_id=environment.instance,
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
        reconnect_backoff_max_ms=1_000,
        max_block_ms=5_000,
        delivery_timeout_ms=20_000,
        request_timeout_ms=10_000,
        linger_ms=0,
        metrics_enabled=False,
        allow_auto_create_topics=False,
    )


def listener(servers: str, environment: Environment) -> KafkaConsumer:
    """Hears what is said from now on, for itself alone, and keeps no place."""
    return KafkaConsumer(
        bootstrap_servers=servers,
        client_id=environment.instance,
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
        reconnect_backoff_max_ms=1_000,
        request_timeout_ms=10_000,
        auto_offset_reset="latest",
        enable_auto_commit=False,
        metadata_max_age_ms=10_000,
        metrics_enabled=False,
        allow_auto_create_topics=False,
    )


def consumer(servers: str, environment: Environment) -> KafkaConsumer:
    """A member of the service's group that keeps its partitions over a quick restart."""
    return KafkaConsumer(
        bootstrap_servers=servers,
        client_id=environment.instance,
        group_id=environment.service,
        group_instance_id=environment.instance,
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
        reconnect_backoff_max_ms=1_000,
        request_timeout_ms=10_000,
        session_timeout_ms=SESSION_MILLISECONDS,
        heartbeat_interval_ms=1_000,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        partition_assignment_strategy=[CooperativeStickyAssignor],
        max_poll_records=500,
        metadata_max_age_ms=10_000,
        metrics_enabled=False,
        allow_auto_create_topics=False,
    )
