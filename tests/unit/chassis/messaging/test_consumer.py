"""The consumer stops where it must, says so, and goes on by itself."""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from kafka import TopicPartition
from kafka.errors import KafkaConnectionError, KafkaError
from prometheus_client.core import Metric

from chassis.core.backoff import Backoff
from chassis.messaging import consumer as consumer_module
from chassis.messaging.consumer import Consumer
from chassis.messaging.event import Event

from .records import Harness, record

ORDERS = TopicPartition("orders", 0)


class Broker:
    """A topic with its group's committed offset; its members read what is there, as Kafka's do."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.committed = 0
        self.commits = 0
        self.topics = {"orders"}
        self.is_away = False

    def add(self, *values: bytes) -> None:
        for value in values:
            self.records.append(record(value, offset=len(self.records)))

    def member(self) -> Any:
        if self.is_away:
            raise KafkaConnectionError("no brokers available")
        return Member(self)


class Member:
    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.at = broker.committed

    def topics(self) -> set[str]:
        return set(self.broker.topics)

    def subscribe(self, topics: list[str]) -> None:
        assert topics == ["orders"]

    def poll(self, timeout_ms: int) -> dict[TopicPartition, list[Any]]:
        if self.broker.is_away:
            raise KafkaError("the broker is away")
        fresh = self.broker.records[self.at :]
        self.at = len(self.broker.records)
        if not fresh:
            threading.Event().wait(0.002)
        return {ORDERS: fresh} if fresh else {}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition == ORDERS
        self.at = offset

    def commit(self) -> None:
        self.broker.committed = self.at
        self.broker.commits += 1

    def assignment(self) -> set[TopicPartition]:
        return {ORDERS}

    def highwater(self, _partition: TopicPartition) -> int:
        return len(self.broker.records)

    def position(self, _partition: TopicPartition) -> int:
        return self.at

    def close(self, autocommit: bool) -> None:
        assert not autocommit


class Running:
    """A consumer at work on a broker, and what it has done."""

    def __init__(self, broker: Broker, handle: Callable[[Event], None], **settings: Any) -> None:
        self.harness = Harness(handle, **settings)
        self.consumer = Consumer(
            "catalog-service",
            ["orders"],
            self.harness.processor,
            self.harness.letters,
            broker.member,
        )
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.consumer.run, args=(self.stop,), daemon=True)
        self.thread.start()

    def until(self, condition: Callable[[], Any]) -> None:
        for _ in range(2_000):
            if condition():
                return
            threading.Event().wait(0.005)
        raise AssertionError(f"it did not come true: {self.consumer.health()}")

    def status(self) -> str:
        return str(self.consumer.health()["status"])

    def handled(self) -> list[str]:
        return [event.data.order for event in self.harness.handled]

    def lag(self) -> dict[str, float]:
        [metric] = self.consumer.metrics()
        assert isinstance(metric, Metric)
        return {sample.labels["topic"]: sample.value for sample in metric.samples}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer_module, "Backoff", lambda *_: Backoff(0.01, 0.02))
    monkeypatch.setattr(consumer_module, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(consumer_module, "COMMIT_SECONDS", 0.0)


@pytest.fixture
def running() -> Any:
    started: list[Running] = []

    def run(broker: Broker, handle: Callable[[Event], None], **settings: Any) -> Running:
        started.append(Running(broker, handle, **settings))
        return started[-1]

    yield run
    for thread in started:
        thread.stop.set()
        thread.thread.join(5)
        assert not thread.thread.is_alive()


def test_after_a_bad_deployment_nothing_is_lost_and_it_goes_on_by_itself(running: Any) -> None:
    is_broken = threading.Event()
    is_broken.set()

    def handle(_event: Event) -> None:
        if is_broken.is_set():
            raise KeyError("a column that the new version forgot")

    broker = Broker()
    broker.add(*(b'{"order": "%d"}' % number for number in range(30)))
    shop = running(broker, handle, max_consecutive_failed=5)
    shop.until(lambda: shop.status() == "DOWN")
    error = shop.consumer.health()["details"]["error"]
    assert "orders/0/5" in error
    assert "KeyError: 'a column that the new version forgot'" in error
    shop.until(lambda: shop.lag() == {"orders": 25})
    threading.Event().wait(0.1)  # several attempts
    assert len(shop.harness.dead_letters.letters) == 5

    is_broken.clear()
    shop.until(lambda: broker.committed == 30)

    assert shop.handled() == [str(number) for number in range(5, 30)]
    assert len(shop.harness.dead_letters.letters) == 5
    shop.until(lambda: shop.status() == "UP")


def test_kafka_away_is_said_and_is_nobodys_fault(running: Any) -> None:
    broker = Broker()
    broker.is_away = True
    shop = running(broker, lambda event: None)
    shop.until(lambda: "KafkaConnectionError" in str(shop.consumer.health()))
    assert shop.status() == "UNKNOWN"

    broker.add(b'{"order": "1"}')
    broker.is_away = False
    shop.until(lambda: shop.handled() == ["1"])

    shop.until(lambda: shop.status() == "UP")
    assert shop.consumer.health()["details"] == {
        "group": "catalog-service",
        "topics": ["orders"],
        "partitions": ["orders/0"],
    }
    shop.until(lambda: shop.lag() == {"orders": 0})


def test_a_topic_that_is_not_there_is_named_until_it_comes(running: Any) -> None:
    broker = Broker()
    broker.topics.clear()
    shop = running(broker, lambda event: None)
    shop.until(lambda: shop.status() == "DOWN")
    assert shop.consumer.health()["details"]["error"] == "there is no topic orders"

    broker.topics.add("orders")

    shop.until(lambda: shop.status() == "UP")


def test_a_database_that_is_away_has_everything_read_again(running: Any) -> None:
    attempts: dict[str, int] = defaultdict(int)

    def handle(event: Event) -> None:
        attempts[event.data.order] += 1
        if attempts["2"] == 1 and event.data.order == "2":
            raise ConnectionResetError("PostgreSQL is away")

    broker = Broker()
    broker.add(b"no JSON", b'{"order": "1"}', b'{"order": "2"}')
    shop = running(broker, handle)
    shop.until(lambda: broker.committed == 3)

    assert shop.handled() == ["1", "2"]
    assert len(shop.harness.dead_letters.letters) == 1


def test_the_offsets_of_a_moment_are_committed_at_once_and_the_rest_at_the_end(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "COMMIT_SECONDS", 60.0)
    broker = Broker()
    shop = running(broker, lambda _: None)
    for number in range(5):
        broker.add(b'{"order": "%d"}' % number)
        shop.until(lambda: len(shop.handled()) == len(broker.records))

    assert broker.commits == 0
    shop.stop.set()
    shop.until(lambda: broker.committed == 5)

    assert broker.commits == 1


def test_a_dead_letter_is_committed_at_once_lest_it_comes_twice(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumer_module, "COMMIT_SECONDS", 60.0)
    broker = Broker()
    shop = running(broker, lambda _: None)

    broker.add(b'{"order": "1"}', b"no JSON")
    shop.until(lambda: broker.committed == 2)

    assert len(shop.harness.dead_letters.letters) == 1
