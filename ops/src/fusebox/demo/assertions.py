"""What the demo asserts: functions of what the shop has answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fusebox.core.errors import Fault

Span = dict[str, Any]
OPEN = "OPEN"
# Who must be seen in the trace of an order, in which role, and at which topic.
EXPECTED_SPANS = (
    ("gateway", "SERVER", ""),
    ("order-service", "SERVER", ""),
    ("catalog-service", "SERVER", ""),
    ("order-service", "PRODUCER", "orders"),
    ("catalog-service", "CONSUMER", "orders"),
    ("catalog-service", "PRODUCER", "catalog"),
    ("order-service", "CONSUMER", "catalog"),
)


class FailedAssertion(Fault):
    """The shop did something else than it says it does."""

    def __init__(self, assertion: str, evidence: str, trace_url: str = "") -> None:
        super().__init__(
            f"an assertion failed: {assertion}",
            where=f"Seen: {evidence}" + (f"\nThe last trace: {trace_url}" if trace_url else ""),
            remedy="see `make logs` and `make verify`.",
        )
        self.assertion = assertion


@dataclass(frozen=True)
class BreakerReading:
    """What one breaker says of itself at one moment."""

    state: str
    failures: int
    failed_calls: int
    refused_calls: int


def counts_up_and_opens(readings: Sequence[BreakerReading], fail_max: int) -> bool:
    """Whether it opened at failure number `fail_max` in a row and not before."""
    counts = [reading.failures for reading in readings]
    states = {reading.state for reading in readings}
    in_time = all((reading.state == OPEN) == (reading.failures >= fail_max) for reading in readings)
    return in_time and counts == sorted(counts) and OPEN in states


def refuses_without_calling(readings: Sequence[BreakerReading]) -> bool:
    """Whether the called service was left alone from the first reading with the breaker open."""
    opened = [reading for reading in readings if reading.state == OPEN]
    if len(opened) < 2:
        return False
    first, last = opened[0], opened[-1]
    return last.failed_calls == first.failed_calls and last.refused_calls > first.refused_calls


def missing_spans(spans: Iterable[Span]) -> list[str]:
    """Whom the trace lacks, in words; empty for the whole way of an order."""
    recorded = {(service(span), span.get("kind"), topic(span)) for span in spans}
    return [" ".join(expected).strip() for expected in EXPECTED_SPANS if expected not in recorded]


def is_one_trace(spans: Sequence[Span]) -> bool:
    """One id, one root, and every other span has one of them as its parent."""
    ids = {span["id"] for span in spans}
    roots = [span for span in spans if "parentId" not in span]
    connected = all(span["parentId"] in ids for span in spans if span not in roots)
    return len({span["traceId"] for span in spans}) == len(roots) == 1 and connected


def service(span: Span) -> str:
    return str(span.get("localEndpoint", {}).get("serviceName", "?"))


def topic(span: Span) -> str:
    return str(span.get("tags", {}).get("kafka.topic", ""))


def counted(values: Iterable[str]) -> str:
    """`49 × REJECTED, 1 × CONFIRMED`."""
    return ", ".join(f"{count} × {value}" for value, count in Counter(values).most_common())
