"""What the tour judges by: functions of what the shop has answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fusebox.core.errors import Fault

Span = dict[str, Any]
OPEN = "OPEN"
# Who must be seen in the trace of an order, in which role, and at which topic.
HOPS = (
    ("gateway", "SERVER", ""),
    ("order-service", "SERVER", ""),
    ("catalog-service", "SERVER", ""),
    ("order-service", "PRODUCER", "orders"),
    ("catalog-service", "CONSUMER", "orders"),
    ("catalog-service", "PRODUCER", "catalog"),
    ("order-service", "CONSUMER", "catalog"),
)


class BrokenPromise(Fault):
    """The shop did something else than it says it does."""

    def __init__(self, promise: str, saw: str, where: str = "") -> None:
        super().__init__(
            f"a promise was not kept: {promise}",
            where=f"Seen: {saw}" + (f"\nThe last trace: {where}" if where else ""),
            remedy="see `make logs` and `make verify`.",
        )
        self.promise = promise


@dataclass(frozen=True)
class Order:
    """What the gateway answered to an order; `code` is 0 when nothing came back.

    `status` is the order's, or the slug of the refusal.
    """

    code: int
    status: str
    order_id: str = ""
    degraded: tuple[str, ...] = ()
    milliseconds: float = 0
    trace: str = ""

    @property
    def is_accepted(self) -> bool:
        return self.code == 201

    def __str__(self) -> str:
        without = f", degraded: {', '.join(self.degraded)}" if self.degraded else ""
        return f"{self.code} {self.status}{without}"


@dataclass(frozen=True)
class Breaker:
    """One reading of a breaker."""

    state: str
    failures: int
    failed_calls: int
    refused_calls: int


def counts_up_and_opens(readings: Sequence[Breaker], fail_max: int) -> bool:
    """Whether it opened at failure number `fail_max` in a row and not before."""
    counts = [each.failures for each in readings]
    at_its_time = all((each.state == OPEN) == (each.failures >= fail_max) for each in readings)
    return at_its_time and counts == sorted(counts) and OPEN in {each.state for each in readings}


def refuses_unasked(readings: Sequence[Breaker]) -> bool:
    """Whether the called service was left alone from the first reading with the breaker open."""
    opened = [each for each in readings if each.state == OPEN]
    if len(opened) < 2:
        return False
    first, last = opened[0], opened[-1]
    return last.failed_calls == first.failed_calls and last.refused_calls > first.refused_calls


def missing_hops(spans: Iterable[Span]) -> list[str]:
    """Whom the trace lacks, in words; empty for the whole way of an order."""
    seen = {(service(span), span.get("kind"), topic(span)) for span in spans}
    return [" ".join(hop).strip() for hop in HOPS if hop not in seen]


def is_one_trace(spans: Sequence[Span]) -> bool:
    """One id, one root, and every other span hangs on one of them."""
    ids = {span["id"] for span in spans}
    roots = [span for span in spans if "parentId" not in span]
    hang = all(span["parentId"] in ids for span in spans if span not in roots)
    return len({span["traceId"] for span in spans}) == len(roots) == 1 and hang


def service(span: Span) -> str:
    return str(span.get("localEndpoint", {}).get("serviceName", "?"))


def topic(span: Span) -> str:
    return str(span.get("tags", {}).get("kafka.topic", ""))


def counted(statuses: Iterable[str]) -> str:
    """`49 × REJECTED, 1 × CONFIRMED`."""
    return ", ".join(f"{count} × {status}" for status, count in Counter(statuses).most_common())
