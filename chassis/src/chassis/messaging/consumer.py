"""The consumer of a service's topics: batches in, one transaction each, offsets some time after it.

An offset is committed for all batches of a moment: what a process that dies meanwhile has handled
is delivered once more, and the inbox knows it.
What becomes of a batch is EventProcessor's.  When it cannot be handled, nothing is skipped: it is
read again after a growing pause, and health says meanwhile what is waited for.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from prometheus_client.core import GaugeMetricFamily, Metric

from chassis.actuator.endpoints import down, up
from chassis.chaos import kill_points
from chassis.core.backoff import Backoff
from chassis.core.errors import first_line
from chassis.messaging.dead_letters import DeadLetterProducer
from chassis.messaging.outages import something_is_away
from chassis.messaging.processing import ConsumptionStopped, EventProcessor

log = logging.getLogger(__name__)

POLL_MILLISECONDS = 500
LONGEST_PAUSE = 2.0
TOPICS_PAUSE = 0.2
LOOK_SECONDS = 1.0
# A commit costs both ends about what a small batch does.
COMMIT_SECONDS = 0.5


class Consumer:
    """`run` is for Workers.  `consumer` makes a member of the group `group`."""

    def __init__(
        self,
        group: str,
        topics: Sequence[str],
        processor: EventProcessor,
        dead_letters: DeadLetterProducer,
        consumer: Callable[[], KafkaConsumer],
    ) -> None:
        self._group = group
        self._topics = list(topics)
        self._processor = processor
        self._dead_letters = dead_letters
        self._make_consumer = consumer
        self._consumer: KafkaConsumer | None = None
        self._backoff = Backoff(0.1, LONGEST_PAUSE)
        # Written by the consumer's thread as a whole, read by others.
        self._stopped: tuple[TopicPartition, str] | None = None
        self._waits_for = "Kafka"
        self._missing_topics: list[str] = []
        self._lag: dict[TopicPartition, int | None] = {}
        self._look_due = 0.0
        # When offsets are to be committed; none is due when all are.
        self._commit_due: float | None = None

    def run(self, stop: threading.Event) -> None:
        try:
            while not stop.is_set():
                try:
                    self._consume(stop)
                except ConsumptionStopped as stopped:
                    log.error("consuming has stopped: %s", stopped)
                    self._backoff.wait(stop)
                except Exception as error:
                    if not something_is_away(error):
                        raise
                    self._waits_for = first_line(error)
                    log.warning("events wait: %s", self._waits_for)
                    self._close()
                    self._backoff.wait(stop)
        finally:
            self._close()

    def health(self) -> dict[str, Any]:
        """DOWN when only a person can mend it; UNKNOWN while something else is away."""
        group = {"group": self._group, "topics": self._topics}
        if self._stopped:
            return down(self._stopped[1], **group)
        if self._missing_topics:
            return down(f"there is no topic {', '.join(self._missing_topics)}", **group)
        if self._waits_for:
            return {"status": "UNKNOWN", "details": {"error": self._waits_for, **group}}
        return up(**group, partitions=[f"{topic}/{number}" for topic, number in self._lag])

    def metrics(self) -> Iterable[Metric]:
        lag = GaugeMetricFamily(
            "kafka_consumer_fetch_manager_records_lag",
            "Records of a partition that this consumer has still before it.",
            labels=("group", "topic", "partition"),
        )
        for (topic, number), records in self._lag.items():
            if records is not None:
                lag.add_metric((self._group, topic, str(number)), records)
        return (lag,)

    def _consume(self, stop: threading.Event) -> None:
        if self._consumer is None:
            self._consumer = self._make_consumer()
            self._await_topics(self._consumer, stop)
            self._consumer.subscribe(self._topics)
        while not stop.is_set():
            batches = self._consumer.poll(timeout_ms=POLL_MILLISECONDS)
            records = [record for batch in batches.values() for record in batch]
            self._waits_for = ""
            if records:
                self._process(self._consumer, records)
            if self._commit_due is not None and time.monotonic() >= self._commit_due:
                self._commit(self._consumer)
            self._look_at_partitions(self._consumer)
        if self._commit_due is not None:
            self._commit(self._consumer)

    def _process(self, consumer: KafkaConsumer, records: Sequence[Any]) -> None:
        try:
            letters = self._processor.process(records)
        except ConsumptionStopped as stopped:
            # What is done is done: read again, it would go to the dead letters a second time.
            for undone in reversed(records[records.index(stopped.record) :]):
                consumer.seek(_partition(undone), undone.offset)
            self._commit(consumer)
            self._stopped = _partition(stopped.record), str(stopped)
            self._look_at_partitions(consumer)
            raise
        self._backoff.reset()
        self._stopped = None
        # Nobody knows a dead letter that comes twice.
        wait = 0.0 if letters else COMMIT_SECONDS
        due = time.monotonic() + wait
        self._commit_due = due if self._commit_due is None else min(due, self._commit_due)

    def _commit(self, consumer: KafkaConsumer) -> None:
        consumer.commit()
        self._commit_due = None
        kill_points.kill_point(kill_points.AFTER_OFFSET)

    def _await_topics(self, consumer: KafkaConsumer, stop: threading.Event) -> None:
        """A topic that is missed at subscription is missed until the metadata age."""
        while True:
            self._missing_topics = sorted(set(self._topics) - consumer.topics())
            if not self._missing_topics or stop.wait(TOPICS_PAUSE):
                return

    def _look_at_partitions(self, consumer: KafkaConsumer) -> None:
        """For health and metrics, now and then: what has been fetched is asked, and nobody else."""
        now = time.monotonic()
        if now < self._look_due:
            return
        self._look_due = now + LOOK_SECONDS
        partitions = {
            partition: consumer.highwater(partition) for partition in consumer.assignment()
        }
        self._lag = {
            partition: None if end is None else end - consumer.position(partition)
            for partition, end in sorted(partitions.items())
        }
        if self._stopped and self._stopped[0] not in partitions:
            self._stopped = None  # another member of the group has it to try

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close(autocommit=False)
            self._consumer = None
        self._commit_due = None
        self._dead_letters.close()


def _partition(record: Any) -> TopicPartition:
    return TopicPartition(record.topic, record.partition)
