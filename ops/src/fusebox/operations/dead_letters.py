"""Dead letters: which lie there, and putting each back once to the topic it came from.

How far the replay has come is the committed offset of a consumer group that nobody joins.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fusebox.core import kafka_admin
from fusebox.core.errors import Fault
from fusebox.core.files import locked
from fusebox.core.stack import Stack
from fusebox.core.topology import DEAD_LETTER_TOPICS, DEAD_LETTERS
from fusebox.runtime import remote

GROUP = "fusebox-replay-dead"
SUFFIX = ".dead"
# What whoever gave up has added to the record's own headers.
ADDED = "dead_"
POLL_MILLISECONDS = 500
BOOTSTRAP_MILLISECONDS = 5_000
DELIVERY_SECONDS = 15
STANDSTILL_SECONDS = 15.0


@dataclass(frozen=True)
class DeadLetter:
    """A record that somebody gave up on; `time` is when, in RFC 3339."""

    topic: str
    partition: int
    offset: int
    key: str | None
    ce_type: str
    dead_reason: str
    dead_from: str
    time: str


def letters(stack: Stack) -> list[DeadLetter]:
    """All that were not put back yet, in the order of their topics and offsets."""
    return remote.run(stack, _letters)


def _letters(stack: Stack) -> list[DeadLetter]:
    with _reached(stack), closing(_consumer(stack)) as consumer:
        letters = [_letter(record) for batch in _batches(consumer) for record in batch]
    return sorted(letters, key=lambda letter: (letter.topic, letter.partition, letter.offset))


def replay(stack: Stack) -> int:
    """Put back what was not put back yet; returns how many records that were.

    The offset is committed once Kafka has acknowledged the record.  Whoever dies in between leaves
    a few that go back twice, and their `ce_id` makes the second no matter.
    """
    return remote.run(stack, _replay)


def _replay(stack: Stack) -> int:
    with _reached(stack), locked(stack.run / "replay-dead.lock", wait=False) as mine:
        if not mine:
            raise Fault("another `make replay-dead` is at work", remedy="wait for it.")
        with closing(_consumer(stack)) as consumer, closing(_producer(stack)) as producer:
            return sum(_put_back(consumer, producer, batch) for batch in _batches(consumer))


def own_headers(headers: Sequence[tuple[str, bytes | None]]) -> list[tuple[str, bytes]]:
    """Those that the record came with."""
    return [(name, value or b"") for name, value in headers if not name.startswith(ADDED)]


def described(letters: Sequence[DeadLetter]) -> str:
    if not letters:
        return "No dead letters."
    lines = [line for letter in letters for line in _lines(letter)]
    return "\n".join([*lines, f"{len(letters)} dead letters; `make replay-dead` puts them back."])


def _lines(letter: DeadLetter) -> list[str]:
    where = f"{letter.topic}/{letter.partition}/{letter.offset}"
    what = letter.ce_type or "no ce_type"
    return [
        f"{where}  {letter.time}  {what}  key {letter.key or '-'}",
        f"    {letter.dead_reason}",
        f"    from {letter.dead_from}",
    ]


def _batches(consumer: Any) -> Iterator[list[Any]]:
    """What lies there now, from the first letter that was not put back."""
    from kafka import TopicPartition

    partitions = [
        TopicPartition(topic, number)
        for topic in DEAD_LETTER_TOPICS
        for number in consumer.partitions_for_topic(topic) or ()
    ]
    consumer.assign(partitions)
    first, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    for partition in partitions:
        consumer.seek(partition, max(consumer.committed(partition) or 0, first[partition]))
    last_seen = time.monotonic()
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        polled = consumer.poll(timeout_ms=POLL_MILLISECONDS)
        batch = [
            record
            for where, records in polled.items()
            for record in records
            if record.offset < ends[where]
        ]
        if batch:
            yield batch
            last_seen = time.monotonic()
        elif time.monotonic() - last_seen > STANDSTILL_SECONDS:
            raise _unreachable("Kafka gives no records")


def _put_back(consumer: Any, producer: Any, batch: Sequence[Any]) -> int:
    """Send `batch` back and remember each record that Kafka has acknowledged; how many went back.

    What its topic does not take is a dead letter again, the newest one, and holds up no other.
    """
    from kafka import TopicPartition
    from kafka.errors import MessageSizeTooLargeError
    from kafka.structs import OffsetAndMetadata

    sent = [(record, _send(producer, record)) for record in batch]
    put_back, reached = 0, {}
    try:
        for record, future in sent:
            try:
                future.get(timeout=DELIVERY_SECONDS)
                put_back += 1
            except MessageSizeTooLargeError:
                _bury_again(producer, record).get(timeout=DELIVERY_SECONDS)
            where = TopicPartition(record.topic, record.partition)
            reached[where] = OffsetAndMetadata(record.offset + 1)
    finally:
        if reached:
            consumer.commit(reached)
    return put_back


def _send(producer: Any, record: Any) -> Any:
    return producer.send(
        record.topic.removesuffix(SUFFIX),
        key=record.key,
        value=record.value,
        headers=own_headers(record.headers),
    )


def _bury_again(producer: Any, record: Any) -> Any:
    headers = [(name, value or b"") for name, value in record.headers]
    return producer.send(record.topic, key=record.key, value=record.value, headers=headers)


def _letter(record: Any) -> DeadLetter:
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    died = datetime.fromtimestamp(record.timestamp / 1000, UTC)
    return DeadLetter(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=None if record.key is None else record.key.decode("utf-8", "replace"),
        ce_type=headers.get("ce_type", ""),
        dead_reason=headers.get("dead_reason", ""),
        dead_from=headers.get("dead_from", ""),
        time=died.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    )


@contextmanager
def _reached(stack: Stack) -> Iterator[None]:
    """Kafka's troubles, told as a Fault."""
    from kafka.errors import KafkaError

    if not kafka_admin.answers(*stack.address("kafka")):
        raise _unreachable(f"Kafka does not answer at {kafka_admin.servers(stack)}")
    try:
        yield
    except KafkaError as error:
        raise _unreachable(f"Kafka has failed: {error}") from error


def _unreachable(what: str) -> Fault:
    return Fault(what, remedy="see `make status`; `make heal SERVICE=kafka` brings it back.")


def _consumer(stack: Stack) -> Any:
    from kafka import KafkaConsumer

    return KafkaConsumer(
        bootstrap_servers=kafka_admin.servers(stack),
        group_id=GROUP,
        enable_auto_commit=False,
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
        request_timeout_ms=kafka_admin.REQUEST_TIMEOUT_MS,
        max_poll_records=200,
    )


def _producer(stack: Stack) -> Any:
    from kafka import KafkaProducer

    return KafkaProducer(
        bootstrap_servers=kafka_admin.servers(stack),
        bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS,
        delivery_timeout_ms=DELIVERY_SECONDS * 1000,
        request_timeout_ms=DELIVERY_SECONDS * 1000 // 2,
        max_block_ms=BOOTSTRAP_MILLISECONDS,
        max_request_size=DEAD_LETTERS.max_message_bytes,
        # An idempotent producer is of no more use after a record that the broker has refused.
        enable_idempotence=False,
        acks="all",
    )
