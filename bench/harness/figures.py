"""What was measured, and the arithmetic on it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Seconds = float
ByProcess = Mapping[str, float]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of `values` that `percent` of them do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values")
    rank = max(math.ceil(len(values) * percent / 100), 1)
    return sorted(values)[rank - 1]


def difference(before: ByProcess, after: ByProcess) -> dict[str, float]:
    """What each has used in between; one that is new began at 0, one that went is left out."""
    return {name: max(used - before.get(name, 0.0), 0.0) for name, used in after.items()}


@dataclass(frozen=True)
class LoadResult:
    """One run of the load generator; `latencies` are of the answers that were as expected."""

    latencies: Sequence[Seconds]
    failures: int
    took: Seconds
    own_cpu: Seconds

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.took if self.took else 0.0


@dataclass(frozen=True)
class Measurement:
    """A load, and the CPU seconds that each process spent on it until all was done.

    `settling` is how long that took after the last answer.
    """

    name: str
    load: LoadResult
    cpu: ByProcess
    settling: Seconds = 0.0

    @property
    def cpu_per_request(self) -> Seconds:
        return sum(self.cpu.values()) / max(len(self.load.latencies), 1)

    def of(self, process: str) -> Seconds:
        """CPU seconds that `process` spent on one request."""
        return self.cpu.get(process, 0.0) / max(len(self.load.latencies), 1)

    def share(self, process: str) -> float:
        total = sum(self.cpu.values())
        return self.cpu.get(process, 0.0) / total if total else 0.0


@dataclass(frozen=True)
class Figures:
    """Seconds and bytes; `fresh` is None when no fresh clone was tried.

    `sections` are further parts of the page, as lines of Markdown.
    """

    first_up: Seconds
    second_up: Seconds
    memory_at_rest: ByProcess
    memory_after_load: ByProcess
    loads: Sequence[Measurement]
    verdict: str
    fresh: Seconds | None = None
    sections: Sequence[Sequence[str]] = ()

    @property
    def processes(self) -> list[str]:
        """In the order of what an order costs them."""
        last = self.loads[-1]
        return sorted(self.memory_after_load, key=lambda name: -last.cpu.get(name, 0.0))
