"""A wrong record goes to the dead letters, whatever it is made of."""

from types import SimpleNamespace
from typing import Any

import pytest

from chassis.messaging.consumer import Consumer


class DeadLetterTopic:
    """Stands for Kafka's producer, which refuses a header without a value as the real one does."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, bytes]]] = []

    def send(self, topic: str, *, key: Any, value: Any, headers: Any) -> "DeadLetterTopic":
        assert all(isinstance(content, bytes) for _, content in headers)
        self.sent.append((topic, dict(headers)))
        return self

    def get(self, timeout: float) -> None:
        pass


@pytest.mark.parametrize(
    "headers", [None, [], [("x-note", None)], [("ce_id", None), ("ce_type", b"\xff")]]
)
def test_a_record_without_what_it_needs_is_dead_lettered(headers: Any) -> None:
    dead_letters: Any = DeadLetterTopic()
    nobody: Any = None
    consumer = Consumer(
        ["orders"],
        {},
        nobody,
        nobody,
        nobody,
        nobody,
        "catalog-service",
        nobody,
        lambda: dead_letters,
    )
    record = SimpleNamespace(
        topic="orders", partition=0, offset=7, key=None, value=b"\x00", headers=headers
    )

    consumer.handle([record])

    [(topic, sent)] = dead_letters.sent
    assert topic == "orders.dead"
    assert sent["dead_reason"].startswith(b"headers are missing")
    assert sent["dead_from"] == b"catalog-service orders/0/7"
