"""Reads the shop's topics beside their readers: in no group, committing nothing."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fusebox.core.topology import DEAD_LETTER_PARTITIONS, TOPICS
from fusebox.network import kafka_admin
from panel.model.orders import TopicRecord

if TYPE_CHECKING:  # it takes its memory, and nobody may ever look
    from kafka import KafkaConsumer

log = logging.getLogger(__name__)

READ = tuple(topic for topic in TOPICS if topic.read_by)
# So many records of each partition are read for the last orders, and for the names of products.
LAST_RECORDS = {"orders": 30, "catalog": 30, "products": 10}
POLL_MILLISECONDS, BUSY_POLL_MILLISECONDS = 1_000, 200
BUSY_SECONDS = 2.0
# So long the reading of what is there already takes at the most.
PAST_SECONDS = 2.0
# Whose commit of a decision decides an order.
DECIDER = "order-service"
BATCH = 500
# Of many records that come at once only the last ones can still be shown.
PARSED_OF_A_BATCH = 60
FETCH_BYTES = 1_048_576
PARTITION_BYTES = 131_072
OFFSETS_SECONDS = 0.5
IDLE_OFFSETS_SECONDS = 10.0
RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class TopicNews:
    """`ends` are records ever published, by topic; `dead` what is given up, by the topic it is of.

    `committed` is by topic and partition, `lags` by topic and group.  `is_past` holds for what was
    there before anybody looked on.
    """

    at: float
    ends: Mapping[str, int] = field(default_factory=dict)
    dead: Mapping[str, int] = field(default_factory=dict)
    records: Sequence[TopicRecord] = ()
    committed: Mapping[tuple[str, int], int] = field(default_factory=dict)
    lags: Mapping[tuple[str, str], int] = field(default_factory=dict)
    is_past: bool = False


class TopicReader:
    """A thread that reads while somebody looks on; `deliver` is called on it."""

    def __init__(
        self, servers: tuple[str, int], deliver: Callable[[TopicNews], None], name: str
    ) -> None:
        self._host, self._port = servers
        self._deliver = deliver
        self._name = name
        self._stop: threading.Event | None = None

    def start(self) -> None:
        if self._stop is None:
            self._stop = threading.Event()
            threading.Thread(
                target=self._run, args=(self._stop,), name="topics", daemon=True
            ).start()

    def stop(self) -> None:
        if self._stop is not None:
            self._stop.set()
            self._stop = None

    def _run(self, stop: threading.Event) -> None:
        from kafka.errors import KafkaError

        while not stop.is_set():
            # A client that finds no broker leaves a thread behind: one is looked for before.
            if kafka_admin.answers(self._host, self._port):
                try:
                    self._read(stop)
                except (KafkaError, OSError) as error:
                    log.info("the topics cannot be read: %s", error)
            stop.wait(RETRY_SECONDS)

    def _read(self, stop: threading.Event) -> None:
        from kafka import KafkaConsumer
        from kafka.admin import KafkaAdminClient

        options: dict[str, Any] = {
            "bootstrap_servers": f"{self._host}:{self._port}",
            "client_id": self._name,
            "bootstrap_timeout_ms": 2_000,
            "request_timeout_ms": 10_000,
            "reconnect_backoff_max_ms": 1_000,
        }
        consumer = KafkaConsumer(
            **options,
            metrics_enabled=False,
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            max_poll_records=BATCH,
            fetch_max_wait_ms=5_000,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_BYTES,
        )
        admin = None
        try:
            admin = KafkaAdminClient(**options)
            TopicTail(consumer, admin, self._deliver).follow(stop)
        finally:
            consumer.close(autocommit=False)
            if admin is not None:
                admin.close()


class TopicTail:
    """One connection's life: from the last records on."""

    def __init__(
        self, consumer: KafkaConsumer, admin: Any, deliver: Callable[[TopicNews], None]
    ) -> None:
        from kafka import TopicPartition

        self._consumer, self._admin, self._deliver = consumer, admin, deliver
        self._live = [
            TopicPartition(topic.name, n) for topic in READ for n in range(topic.partitions)
        ]
        self._letters = [
            TopicPartition(topic.dead_letter_topic, n)
            for topic in READ
            if topic.dead_letters
            for n in range(DEAD_LETTER_PARTITIONS)
        ]
        self._positions: dict[Any, int] = {}
        self._first_letters: dict[Any, int] = {}
        self._groups = sorted({reader for topic in READ for reader in topic.read_by})
        self._offsets_at = 0.0
        self._moved_at = 0.0
        self._lags: dict[tuple[str, str], int] = {}

    def follow(self, stop: threading.Event) -> None:
        everything = [*self._live, *self._letters]
        self._consumer.assign(everything)
        beginnings = self._consumer.beginning_offsets(everything)
        self._positions = dict(self._consumer.end_offsets(everything))
        self._first_letters = {one: beginnings[one] for one in self._letters}
        for partition in self._live:
            last = self._positions[partition] - LAST_RECORDS.get(partition.topic, 0)
            self._consumer.seek(partition, max(beginnings[partition], last))
        for partition in self._letters:
            self._consumer.seek(partition, self._positions[partition])
        began = time.monotonic()
        while not stop.is_set():
            pause = BUSY_POLL_MILLISECONDS if self._is_busy() else POLL_MILLISECONDS
            batches = self._consumer.poll(timeout_ms=pause)
            if batches:
                self._moved_at = time.monotonic()
            for partition, records in batches.items():
                position = records[-1].offset + 1
                self._positions[partition] = max(self._positions[partition], position)
            committed = self._committed()
            self._deliver(
                TopicNews(
                    time.time(),
                    self._ends(),
                    self._dead(),
                    tuple(_parsed(batches.values())),
                    committed,
                    dict(self._lags),
                    time.monotonic() < began + PAST_SECONDS,
                )
            )

    def _ends(self) -> dict[str, int]:
        ends: dict[str, int] = {}
        for partition in self._live:
            ends[partition.topic] = ends.get(partition.topic, 0) + self._positions[partition]
        return ends

    def _dead(self) -> dict[str, int]:
        """As long as nobody discards any: then `beginning_offsets` would have to be asked."""
        dead: dict[str, int] = {}
        for partition in self._letters:
            topic = partition.topic.removesuffix(".dead")
            count = self._positions[partition] - self._first_letters[partition]
            dead[topic] = dead.get(topic, 0) + count
        return dead

    def _is_busy(self) -> bool:
        """Readers are behind, or have been a moment ago."""
        return any(self._lags.values()) or time.monotonic() < self._moved_at + BUSY_SECONDS

    def _committed(self) -> dict[tuple[str, int], int]:
        """What the decider has behind it; readers are asked seldom while nothing moves."""
        pause = OFFSETS_SECONDS if self._is_busy() else IDLE_OFFSETS_SECONDS
        if time.monotonic() < self._offsets_at + pause:
            return {}
        self._offsets_at = time.monotonic()
        if pause == IDLE_OFFSETS_SECONDS:
            self._look_at_letters()
        offsets = self._admin.list_group_offsets(dict.fromkeys(self._groups))
        committed = {}
        self._lags = {}
        for topic in READ:
            for group in topic.read_by:
                by_partition = offsets.get(group, {})
                lag = 0
                for partition in self._live:
                    if partition.topic != topic.name:
                        continue
                    known = by_partition.get(partition)
                    offset = max(known.offset, 0) if known else 0
                    if group == DECIDER:
                        committed[topic.name, partition.partition] = offset
                    lag += max(0, self._positions[partition] - offset)
                self._lags[topic.name, group] = lag
        return committed

    def _look_at_letters(self) -> None:
        """Letters that were discarded or have had their time are none any more."""
        self._first_letters = dict(self._consumer.beginning_offsets(self._letters))


def _parsed(batches: Iterable[Sequence[Any]]) -> Iterable[TopicRecord]:
    for records in batches:
        for record in records[-PARSED_OF_A_BATCH:]:
            parsed = parse(record)
            if parsed is not None:
                yield parsed


def parse(record: Any) -> TopicRecord | None:
    """None for what is no event of ours."""
    headers = {name: value or b"" for name, value in record.headers or ()}
    try:
        data = json.loads(record.value or b"")
    except ValueError:
        return None
    if "ce_type" not in headers or not isinstance(data, dict):
        return None
    trace_id, separator, _ = headers.get("b3", b"").partition(b"-")
    return TopicRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        at=record.timestamp / 1000,
        key=(record.key or b"").decode("utf-8", "replace"),
        type=headers["ce_type"].decode("utf-8", "replace"),
        data=data,
        trace_id=trace_id.decode("ascii", "replace") if separator else "",
    )
