"""Dead letter channel (Hohpe and Woolf): what was given up goes to `{topic}.dead`, with the reason.

A letter is the record as it came, key, payload and headers, and two headers more: `dead_reason` and
`dead_from`.  Its topic takes larger records than others, so that these fit; where it does not, what
is too large is left out and `dead_left_out` names it and says how large it was: a letter without
its payload can still be read where `dead_from` says, and a record that can be neither handled nor
given up would be read for ever.
"""

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError, RecordListTooLargeError

from chassis.messaging import cloudevents
from chassis.observability.tracing import Kind, Tracer

log = logging.getLogger(__name__)

DELIVERY_SECONDS = 30
LONGEST_REASON = 1_000
# A header of this project is some tens of bytes; what is much longer is of no use in a letter.
LONGEST_HEADER = 200
MOST_HEADERS = 50
LONGEST_KEY = 1_000
TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

Letter = dict[str, Any]


class DeadLetterProducer:
    """`send` returns when Kafka has acknowledged; it raises what kafka-python raises."""

    def __init__(self, service: str, tracer: Tracer, producer: Callable[[], KafkaProducer]) -> None:
        self._service = service
        self._tracer = tracer
        self._make_producer = producer
        self._producer: KafkaProducer | None = None

    def send(self, record: Any, reason: str) -> None:
        """`record` is one of Kafka's, or will be one and says where it is kept as its `place`."""
        where = getattr(record, "place", "") or f"{record.topic}/{record.partition}/{record.offset}"
        log.warning("dead letter from %s: %s", where, reason)
        started = time.time()
        added = [
            ("dead_reason", reason[:LONGEST_REASON].encode("utf-8", "replace")),
            ("dead_from", f"{self._service} {where}".encode()),
        ]
        forms = _forms(record)
        letter = next(forms)
        while True:
            headers = [*letter.pop("headers"), *added]
            try:
                self._deliver(f"{record.topic}.dead", headers=headers, **letter)
                self._report(record, reason, started)
                return
            except TOO_LARGE:
                smaller = next(forms, None)
                if smaller is None:
                    raise
                letter = smaller

    def _deliver(self, topic: str, **letter: Any) -> None:
        if self._producer is None:
            self._producer = self._make_producer()
        self._producer.send(topic, **letter).get(timeout=DELIVERY_SECONDS)

    def _report(self, record: Any, reason: str, started: float) -> None:
        parent = cloudevents.trace_context(record.headers)
        if parent is not None:
            self._tracer.report(
                f"dead letter {record.topic}",
                Kind.PRODUCER,
                self._tracer.child_of(parent),
                started,
                remote="kafka",
                tags={"kafka.topic": f"{record.topic}.dead", "error": reason[:LONGEST_REASON]},
            )

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close(timeout=2)
            self._producer = None


def _forms(record: Any) -> Iterator[Letter]:
    """The record whole, then without its payload, then without all that may be long."""
    # Python's producer writes no header without a value, and nothing without key and payload.
    headers = [(name, content or b"") for name, content in record.headers or ()]
    key, value = record.key, record.value
    yield {
        "key": key,
        "value": b"" if key is None and value is None else value,
        "headers": headers,
    }
    left_out = [f"payload of {len(value or b'')} bytes"]
    yield {"key": key, "value": b"", "headers": [*headers, _left_out(left_out)]}
    short = [
        (name, content)
        for name, content in headers[:MOST_HEADERS]
        if len(name) + len(content) <= LONGEST_HEADER
    ]
    left_out.append(f"{len(headers) - len(short)} headers")
    if key is not None and len(key) > LONGEST_KEY:
        left_out.append(f"key of {len(key)} bytes")
        key = None
    yield {"key": key, "value": b"", "headers": [*short, _left_out(left_out)]}


def _left_out(parts: list[str]) -> tuple[str, bytes]:
    return "dead_left_out", ", ".join(parts).encode()
