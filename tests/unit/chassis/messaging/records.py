"""Records and the other ends of a consumer, for tests without a broker and a database."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from kafka.errors import MessageSizeTooLargeError
from py_zipkin.encoding import Span
from pydantic import BaseModel

from chassis.config.settings import DeadLetterSettings
from chassis.core.live import Live
from chassis.messaging.dead_letter_limit import DeadLetterLimit
from chassis.messaging.dead_letters import DeadLetterProducer
from chassis.messaging.event import Event
from chassis.messaging.processing import EventProcessor
from chassis.observability import tracing
from chassis.observability.sampling import Sampler, SamplingRules
from chassis.observability.tracing import TraceContext, Tracer


class Placed(BaseModel):
    order: str


MODELS: dict[str, type[BaseModel]] = {"order.placed": Placed}


def record(
    value: bytes | None = b'{"order": "1"}',
    headers: Any = None,
    key: bytes | None = b"1",
    offset: int = 0,
    topic: str = "orders",
    partition: int = 0,
) -> Any:
    """A good one, unless said otherwise."""
    if headers is None:
        headers = [
            ("ce_id", str(uuid4()).encode()),
            ("ce_type", b"order.placed"),
            ("ce_source", b"test"),
        ]
    return SimpleNamespace(
        topic=topic, partition=partition, offset=offset, key=key, value=value, headers=headers
    )


class DeadLetterTopic:
    """Stands for Kafka's producer, and refuses what the real one refuses."""

    def __init__(self, largest: int = 1 << 21) -> None:
        self.largest = largest
        self.letters: list[SimpleNamespace] = []

    def send(self, topic: str, *, key: Any, value: Any, headers: Any) -> "DeadLetterTopic":
        assert isinstance(headers, list)
        assert all(isinstance(name, str) and isinstance(it, bytes) for name, it in headers)
        if key is None and value is None:
            raise ValueError("Need at least one: key or value")
        size = len(key or b"") + len(value or b"")
        size += sum(len(name.encode()) + len(content) for name, content in headers)
        if size > self.largest:
            raise MessageSizeTooLargeError(f"The message is {size} bytes")
        self.letters.append(SimpleNamespace(topic=topic, key=key, value=value, headers=headers))
        return self

    def get(self, timeout: float) -> None:
        pass

    def close(self, timeout: float) -> None:
        pass

    def reasons(self) -> list[str]:
        return [dict(letter.headers)["dead_reason"].decode() for letter in self.letters]


class Sessions:
    """Transactions that nobody looks at, but for the spans in which they were begun."""

    def __init__(self) -> None:
        self.begun_in: list[TraceContext | None] = []

    @contextmanager
    def begin(self) -> Iterator["Sessions"]:
        yield self

    def connection(self) -> None:
        self.begun_in.append(tracing.current())


class Inbox:
    """Remembers those whose transaction went through, as the table does."""

    def __init__(self) -> None:
        self.seen: set[Any] = set()

    def claim(self, _session: Any, events: Sequence[Event]) -> list[Event]:
        return [event for event in events if event.id not in self.seen]


class Harness:
    """A processor whose handler is a function of the test's."""

    def __init__(self, handle: Callable[[Event], None], **settings: Any) -> None:
        self.handle = handle
        self.handled: list[Event] = []
        self.dead_letters = DeadLetterTopic()
        self.settings = Live(DeadLetterSettings(**settings))
        inbox: Any = Inbox()
        self.sessions = Sessions()
        self.spans: list[Span] = []
        sessions: Any = self.sessions
        producer: Any = self.dead_letters
        tracer = Tracer("catalog-service", Sampler(Live(SamplingRules(1.0))), self.spans.append)
        self.letters = DeadLetterProducer("catalog-service", tracer, lambda: producer)
        self.inbox = inbox
        self.processor = EventProcessor(
            MODELS,
            self._handle,
            inbox,
            sessions,
            tracer,
            self.letters,
            DeadLetterLimit(self.settings),
        )

    def _handle(self, _session: Any, events: Sequence[Event]) -> None:
        for event in events:
            self.handle(event)
        self.inbox.seen |= {event.id for event in events}
        self.handled += events
