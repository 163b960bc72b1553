"""Dead letters are told as they were buried, and go back once each, as they first came."""

import socket
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.structs import OffsetAndMetadata

from fusebox.core import files
from fusebox.core.errors import Fault
from fusebox.core.stack import Stack
from fusebox.core.topology import DEAD_LETTER_TOPICS
from fusebox.network import kafka_admin
from fusebox.operations import dead_letters
from fusebox.operations.letter_progress import LetterProgress

HEADERS = [("ce_id", b"1"), ("ce_type", b"order.placed"), ("b3", b"0")]
LARGEST = 100
BURIED = [
    *HEADERS,
    ("dead_reason", b"Field required"),
    ("dead_from", b"catalog-service orders/3/7"),
]


class Record:
    def __init__(
        self, topic: str, offset: int, value: bytes | None = b"{}", key: bytes | None = b"key"
    ) -> None:
        self.topic, self.partition, self.offset = topic, 0, offset
        self.key, self.value = key, value
        self.headers = BURIED
        self.timestamp = 1_700_000_000_000


class Broker:
    """Keeps topics of one partition and one group's offsets; `refuses` the value so named."""

    def __init__(self) -> None:
        self.topics: dict[str, list[Record]] = {name: [] for name in DEAD_LETTER_TOPICS}
        self.committed: dict[str, OffsetAndMetadata] = {}
        self.sent: list[tuple[str, Any]] = []
        self.refuses: bytes | None = None

    def bury(self, topic: str, *values: bytes) -> None:
        for value in values:
            self.topics[topic].append(Record(topic, len(self.topics[topic]), value))


class Consumer:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._positions: dict[TopicPartition, int] = {}

    def partitions_for_topic(self, topic: str) -> set[int]:
        return {0}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._positions = dict.fromkeys(partitions, 0)

    def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(partitions, 0)

    def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: len(self._broker.topics[partition.topic]) for partition in partitions}

    def committed(
        self, partition: TopicPartition, metadata: bool = False
    ) -> OffsetAndMetadata | None:
        assert metadata
        return self._broker.committed.get(partition.topic)

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self._positions[partition] = offset

    def position(self, partition: TopicPartition) -> int:
        return self._positions[partition]

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        polled = {
            partition: self._broker.topics[partition.topic][position:]
            for partition, position in self._positions.items()
        }
        for partition, records in polled.items():
            self._positions[partition] += len(records)
        return {partition: records for partition, records in polled.items() if records}

    def commit(self, offsets: dict[TopicPartition, Any]) -> None:
        self._broker.committed |= {where.topic: to for where, to in offsets.items()}

    def close(self) -> None:
        pass


class Future:
    def __init__(self, error: KafkaError | None) -> None:
        self._error = error

    def get(self, timeout: float) -> None:
        if self._error:
            raise self._error


class Producer:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def send(self, topic: str, **record: Any) -> Future:
        if record["value"] == self._broker.refuses:
            return Future(KafkaError("refused"))
        if len(record["value"]) > LARGEST and topic not in DEAD_LETTER_TOPICS:
            return Future(MessageSizeTooLargeError("too large"))
        self._broker.sent.append((topic, record))
        return Future(None)

    def close(self) -> None:
        pass


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch, stack: Stack) -> Broker:
    stack.make_folders()
    fake = Broker()
    monkeypatch.setattr(kafka_admin, "answers", lambda *_: True)
    monkeypatch.setattr(dead_letters, "_consumer", lambda _: Consumer(fake))
    monkeypatch.setattr(dead_letters, "_producer", lambda _: Producer(fake))
    return fake


def test_a_letter_is_told_with_its_reason_and_where_it_came_from(
    stack: Stack, broker: Broker
) -> None:
    broker.bury("orders.dead", b"{}")

    [letter] = dead_letters.letters(stack)

    assert letter == dead_letters.DeadLetter(
        topic="orders.dead",
        partition=0,
        offset=0,
        key="key",
        ce_type="order.placed",
        dead_reason="Field required",
        dead_from="catalog-service orders/3/7",
        time="2023-11-14T22:13:20.000Z",
    )
    assert "orders.dead/0/0" in dead_letters.described([letter])
    assert "Field required" in dead_letters.described([replace(letter, key=None)])


def test_looking_at_letters_takes_none_away(stack: Stack, broker: Broker) -> None:
    broker.bury("orders.dead", b"1")

    assert len(dead_letters.letters(stack)) == len(dead_letters.letters(stack)) == 1
    assert broker.committed == {}


def test_a_letter_goes_back_to_its_topic_with_its_own_headers(stack: Stack, broker: Broker) -> None:
    broker.bury("orders.dead", b"{}")

    assert dead_letters.replay(stack) == 1

    assert broker.sent == [("orders", {"key": b"key", "value": b"{}", "headers": HEADERS})]


def test_none_goes_back_twice(stack: Stack, broker: Broker) -> None:
    broker.bury("orders.dead", b"1", b"2")
    broker.bury("users.dead", b"3")

    assert [dead_letters.replay(stack), dead_letters.replay(stack)] == [3, 0]
    broker.bury("orders.dead", b"4")

    assert [letter.offset for letter in dead_letters.letters(stack)] == [2]
    assert dead_letters.replay(stack) == 1
    assert len(broker.sent) == 4


def test_what_was_acknowledged_before_a_failure_is_not_sent_again(
    stack: Stack, broker: Broker
) -> None:
    broker.bury("orders.dead", b"1", b"2", b"3")
    broker.refuses = b"2"
    with pytest.raises(Fault, match="refused"):
        dead_letters.replay(stack)
    assert broker.committed["orders.dead"].offset == 1
    broker.refuses = None

    assert dead_letters.replay(stack) == 2


def test_what_its_topic_does_not_take_stays_a_dead_letter_and_holds_up_no_other(
    stack: Stack, broker: Broker
) -> None:
    large = b"x" * (LARGEST + 1)
    broker.bury("orders.dead", large, b"2")

    assert dead_letters.replay(stack) == 1

    assert [(topic, record["value"]) for topic, record in broker.sent] == [
        ("orders", b"2"),
        ("orders.dead", large),
    ]
    kept = dict(broker.sent[1][1]["headers"])
    assert kept["dead_reason"] == b"Field required"
    assert broker.committed["orders.dead"].offset == 2


@pytest.fixture
def held(stack: Stack) -> Iterator[None]:
    stack.make_folders()
    with files.locked(stack.run / "replay-dead.lock"):
        yield


@pytest.mark.usefixtures("held")
def test_two_replays_at_a_time_are_refused(stack: Stack, broker: Broker) -> None:
    broker.bury("orders.dead", b"1")
    with pytest.raises(Fault, match="another"):
        dead_letters.replay(stack)

    assert broker.sent == []


def test_without_kafka_it_says_where_kafka_should_be(stack: Stack) -> None:
    # A port of its own, for a shop may be running on this machine.
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]

    with pytest.raises(Fault, match=rf"Kafka does not answer at 127\.0\.0\.1:{port}"):
        dead_letters.letters(replace(stack, offset=port - 9092))


def test_no_letters_are_told_in_words() -> None:
    assert dead_letters.described([]) == "No dead letters."


def test_a_dropped_letter_is_neither_listed_nor_put_back(stack: Stack, broker: Broker) -> None:
    broker.bury("orders.dead", b"1", b"2", b"3")

    assert dead_letters.drop(stack, ["orders.dead/0/1"]) == 1

    assert [letter.offset for letter in dead_letters.letters(stack)] == [0, 2]
    assert dead_letters.replay(stack) == 2
    assert [record["value"] for _, record in broker.sent] == [b"1", b"3"]
    assert dead_letters.letters(stack) == []


def test_all_can_be_dropped_and_later_ones_are_there(stack: Stack, broker: Broker) -> None:
    broker.bury("orders.dead", b"1", b"2")
    broker.bury("catalog.dead", b"3")

    assert dead_letters.drop(stack, None) == 3
    broker.bury("orders.dead", b"4")

    assert [letter.id for letter in dead_letters.letters(stack)] == ["orders.dead/0/2"]
    assert broker.sent == []


@pytest.mark.parametrize("unknown", ["orders.dead/0/7", "orders/0/0", "x", ""])
def test_a_letter_that_is_not_there_is_refused_and_none_is_dropped(
    stack: Stack, broker: Broker, unknown: str
) -> None:
    broker.bury("orders.dead", b"1")

    with pytest.raises(Fault, match="there is no dead letter") as refusal:
        dead_letters.drop(stack, ["orders.dead/0/0", unknown])

    assert refusal.value.exit_code == 2
    assert len(dead_letters.letters(stack)) == 1


@given(st.lists(st.sets(st.integers(0, 12), max_size=4), max_size=6))
def test_what_is_dropped_in_any_order_is_done_and_the_rest_is_not(drops: list[set[int]]) -> None:
    progress, dropped = LetterProgress(), set[int]()
    for offsets in drops:
        dropped |= offsets
        progress = LetterProgress.of(progress.drop(offsets).committed())

    assert {offset for offset in range(14) if progress.is_done(offset)} == dropped


def test_more_single_letters_than_kafka_can_remember_are_refused() -> None:
    every_other = range(1, 4_000, 2)

    with pytest.raises(Fault, match="more than can be dropped singly"):
        LetterProgress().drop(every_other).committed()


@pytest.mark.parametrize("metadata", ["", "nonsense", "{}", "[1, null]"])
def test_metadata_of_others_say_nothing(metadata: str) -> None:
    assert LetterProgress.of(OffsetAndMetadata(3, metadata)) == LetterProgress(3)
