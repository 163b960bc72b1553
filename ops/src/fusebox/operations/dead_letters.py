"""Dead letters: which lie there, and putting each back once to the topic it came from.

How far they are dealt with is what a consumer group that nobody joins has committed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fusebox.core.errors import Fault
from fusebox.core.files import locked
from fusebox.core.stack import Stack
from fusebox.core.topology import DEAD_LETTER_TOPICS, DEAD_LETTERS
from fusebox.network import kafka_admin
from fusebox.operations.letter_progress import LetterProgress
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

    @property
    def id(self) -> str:
        """What `drop` knows it by."""
        return _id(self.topic, self.partition, self.offset)


def letters(stack: Stack) -> list[DeadLetter]:
    """All that were not put back yet, in the order of their topics and offsets."""
    return remote.run(stack, _letters)


def _letters(stack: Stack) -> list[DeadLetter]:
    with _reached(stack), closing(_consumer(stack)) as consumer:
        batches = _batches(consumer, _progress(consumer))
        letters = [_letter(record) for batch in batches for record in batch]
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
            progress = _progress(consumer)
            return sum(
                _put_back(consumer, producer, batch, progress)
                for batch in _batches(consumer, progress)
            )


def drop(stack: Stack, ids: Sequence[str] | None) -> int:
    """Discard the letters of these ids (`topic/partition/offset`), or all; how many that were.

    Raises Fault, and discards none, when one of them is not there.
    """
    return remote.run(stack, _drop, None if ids is None else list(ids))


def _drop(stack: Stack, ids: list[str] | None) -> int:
    with (
        _reached(stack),
        locked(stack.run / "replay-dead.lock"),
        closing(_consumer(stack)) as consumer,
    ):
        progress = _progress(consumer)
        there = {
            _id(record.topic, record.partition, record.offset): record
            for batch in _batches(consumer, progress)
            for record in batch
        }
        chosen = list(there) if ids is None else list(dict.fromkeys(ids))
        missing = [name for name in chosen if name not in there]
        if missing:
            raise Fault(
                f"there is no dead letter {', '.join(missing)}",
                remedy="`make dead` lists them; give DROP=all, or DROP=topic/partition/offset.",
                exit_code=2,
            )
        for partition, done in list(progress.items()):
            progress[partition] = done.drop(
                there[name].offset
                for name in chosen
                if (there[name].topic, there[name].partition) == tuple(partition)
            )
        consumer.commit({partition: done.committed() for partition, done in progress.items()})
    return len(chosen)


def _id(topic: str, partition: int, offset: int) -> str:
    return f"{topic}/{partition}/{offset}"


def own_headers(headers: Sequence[tuple[str, bytes | None]]) -> list[tuple[str, bytes]]:
    """Those that the record came with."""
    return [(name, value or b"") for name, value in headers if not name.startswith(ADDED)]


def described(letters: Sequence[DeadLetter]) -> str:
    if not letters:
        return "No dead letters."
    lines = [line for letter in letters for line in _lines(letter)]
    ways = "`make replay-dead` puts them back, `make dead DROP=all` (or one's id) discards them"
    return "\n".join([*lines, f"{len(letters)} dead letters; {ways}."])


def _lines(letter: DeadLetter) -> list[str]:
    what = letter.ce_type or "no ce_type"
    return [
        f"{letter.id}  {letter.time}  {what}  key {letter.key or '-'}",
        f"    {letter.dead_reason}",
        f"    from {letter.dead_from}",
    ]


def _progress(consumer: Any) -> dict[Any, LetterProgress]:
    """How far each partition is dealt with."""
    from kafka import TopicPartition

    partitions = [
        TopicPartition(topic, number)
        for topic in DEAD_LETTER_TOPICS
        for number in consumer.partitions_for_topic(topic) or ()
    ]
    return {
        partition: LetterProgress.of(consumer.committed(partition, metadata=True))
        for partition in partitions
    }


def _batches(consumer: Any, progress: Mapping[Any, LetterProgress]) -> Iterator[list[Any]]:
    """What lies there now and is not done."""
    partitions = list(progress)
    consumer.assign(partitions)
    first, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    for partition in partitions:
        consumer.seek(partition, max(progress[partition].offset, first[partition]))
    last_seen = time.monotonic()
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        polled = consumer.poll(timeout_ms=POLL_MILLISECONDS)
        batch = [
            record
            for where, records in polled.items()
            for record in records
            if record.offset < ends[where] and not progress[where].is_done(record.offset)
        ]
        if polled:
            last_seen = time.monotonic()
        if batch:
            yield batch
            last_seen = time.monotonic()
        if time.monotonic() - last_seen > STANDSTILL_SECONDS:
            raise _unreachable("Kafka gives no records")


def _put_back(
    consumer: Any, producer: Any, batch: Sequence[Any], progress: Mapping[Any, LetterProgress]
) -> int:
    """Send `batch` back and remember each record that Kafka has acknowledged; how many went back.

    What its topic does not take is a dead letter again, the newest one, and holds up no other.
    """
    from kafka import TopicPartition
    from kafka.errors import MessageSizeTooLargeError

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
            reached[where] = progress[where].past(record.offset).committed()
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
