"""What was measured, and the arithmetic on it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

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


def without_idle(used: ByProcess, idle: ByProcess, elapsed: Seconds) -> dict[str, float]:
    """`used` less what each process uses in `elapsed` seconds at rest (`idle`, a second)."""
    return {name: seconds - idle.get(name, 0.0) * elapsed for name, seconds in used.items()}


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

    What the processes use at rest is not in `cpu`.  `settling` is how long that took after the
    last answer.  `unit` is N, nginx' CPU seconds for one small GET just before and after; None
    where there is no nginx.
    """

    name: str
    load: LoadResult
    cpu: ByProcess
    settling: Seconds = 0.0
    unit: Seconds | None = None

    def in_units(self, seconds: Seconds) -> str:
        """`seconds` of CPU in N, as it is shown; empty without a unit."""
        return f"{seconds / self.unit:.1f} N" if self.unit else ""

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

    `idle` is the CPU that each process uses at rest, in seconds a second; `unit` is N over the
    whole run.

    `sections` are further parts of the page, as lines of Markdown.
    """

    first_up: Seconds
    second_up: Seconds
    memory_at_rest: ByProcess
    memory_after_load: ByProcess
    loads: Sequence[Measurement]
    verdict: str
    fresh: Seconds | None = None
    idle: ByProcess = field(default_factory=dict)
    unit: Seconds | None = None
    sections: Sequence[Sequence[str]] = ()

    @property
    def processes(self) -> list[str]:
        """In the order of what an order costs them."""
        last = self.loads[-1]
        return sorted(self.memory_after_load, key=lambda name: -last.cpu.get(name, 0.0))
