"""Every record can be given up, however large and odd: else it would be read for ever."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kafka.errors import MessageSizeTooLargeError

from chassis.core.live import Live
from chassis.messaging.dead_letters import DeadLetterProducer
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import Tracer

from .records import DeadLetterTopic, record

LIMIT = 1_048_576


def sent(letter: Any, reason: str = "reason", largest: int = LIMIT) -> Any:
    topic: Any = DeadLetterTopic(largest)
    tracer = Tracer("catalog-service", Sampler(Live(SamplingRules(1.0))), lambda _: None)
    DeadLetterProducer("catalog-service", tracer, lambda: topic).send(letter, reason)
    [only] = topic.letters
    return only


def test_a_letter_is_the_record_with_the_reason_and_where_it_came_from() -> None:
    letter = sent(record(headers=[("a", b"1"), ("a", b"2"), ("none", None)], offset=7))

    assert letter.topic == "orders.dead"
    assert (letter.key, letter.value) == (b"1", b'{"order": "1"}')
    assert letter.headers == [
        ("a", b"1"),
        ("a", b"2"),
        ("none", b""),
        ("dead_reason", b"reason"),
        ("dead_from", b"catalog-service orders/0/7"),
    ]


def test_a_record_without_key_and_payload_is_buried_with_an_empty_payload() -> None:
    letter = sent(record(value=None, key=None))

    assert (letter.key, letter.value) == (None, b"")


def test_a_tombstone_stays_one() -> None:
    assert sent(record(value=None)).value is None


def test_a_long_reason_is_shortened() -> None:
    letter = sent(record(), reason="x" * 5_000_000 + "\ud800")

    assert len(dict(letter.headers)["dead_reason"]) == 1_000


@pytest.mark.parametrize(
    ("whole", "left_out"),
    [
        (record(b"x" * (LIMIT - 100)), "payload of 1048476 bytes"),
        (record(headers=[("x", b"y" * LIMIT)]), "payload of 14 bytes, 1 headers"),
        (record(headers=[("x", b"y")] * LIMIT), "payload of 14 bytes, 1048526 headers"),
        (record(key=b"k" * LIMIT), "payload of 14 bytes, 0 headers, key of 1048576 bytes"),
        (
            record(value=None, key=b"k" * LIMIT),
            "payload of 0 bytes, 0 headers, key of 1048576 bytes",
        ),
    ],
)
def test_what_is_too_large_is_left_out_and_named(whole: Any, left_out: str) -> None:
    letter = sent(whole)

    assert dict(letter.headers)["dead_left_out"].decode() == left_out
    assert dict(letter.headers)["dead_reason"] == b"reason"


@given(
    key=st.none() | st.integers(0, 60).map(lambda size: b"k" * (size * 100)),
    value=st.none() | st.integers(0, 60).map(lambda size: b"v" * (size * 1_000)),
    headers=st.lists(
        st.tuples(st.text(max_size=300), st.none() | st.integers(0, 400).map(lambda n: b"h" * n)),
        max_size=120,
    ),
)
@settings(max_examples=100, deadline=None)
def test_every_record_fits_in_the_end(key: Any, value: Any, headers: Any) -> None:
    whole = record(value=value, key=key, headers=headers)

    letter = sent(whole, "r" * 2_000, largest=14_000)

    assert dict(letter.headers)["dead_from"] == b"catalog-service orders/0/0"


def test_a_topic_that_takes_nothing_at_all_says_so() -> None:
    with pytest.raises(MessageSizeTooLargeError):
        sent(record(), largest=10)
