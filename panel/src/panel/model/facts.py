"""What the polls have brought: the newest of each, with when it came.

All times are in seconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from panel.model.orders import OrderBook
from panel.model.windows import CallWindow

Document = Mapping[str, Any]


@dataclass(frozen=True)
class PartFacts:
    """A part as the topology declares it; `fixed` are the instances that no registry lists."""

    name: str
    kind: str
    addresses: tuple[tuple[str, str], ...] = ()
    fixed: tuple[str, ...] = ()
    has_database: bool = False
    is_ours: bool = True


@dataclass(frozen=True)
class TopicFacts:
    name: str
    published_by: tuple[str, ...]
    read_by: tuple[str, ...]
    dead_letter_topic: str | None


@dataclass(frozen=True)
class Registration:
    """An instance as discovery lists it."""

    instance: str
    service: str
    host: str
    port: int
    version: str | None = None
    canary: bool = False

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


@dataclass(frozen=True)
class ProcessFacts:
    """What runs the instance says of it: starting, running or ended, and whether on purpose.

    `ended_by` is "killed" or "stopped" when somebody has done it.
    """

    is_running: bool
    is_starting: bool = False
    is_paused: bool = False
    ended_by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class InstanceLook:
    """The last answer of an instance; `error` says why there was none."""

    at: float
    error: str = ""


@dataclass
class InstanceFacts:
    """All that one instance has told of itself."""

    look: InstanceLook | None = None
    health: Document = field(default_factory=dict)
    breakers: Document = field(default_factory=dict)
    last_failures: dict[str, str] = field(default_factory=dict)
    assaults: tuple[str, ...] = ()
    self_preservation: bool = False
    requests: CallWindow = field(default_factory=CallWindow)
    spans: CallWindow = field(default_factory=CallWindow)
    calls: dict[str, CallWindow] = field(default_factory=dict)


@dataclass
class Facts:
    """All that is known of the shop.  Written by the polls, read by the picture."""

    parts: tuple[PartFacts, ...]
    topics: tuple[TopicFacts, ...] = ()
    zipkin: str = ""
    registry: tuple[Registration, ...] = ()
    registry_at: float | None = None
    metrics_at: float | None = None
    instances: dict[str, InstanceFacts] = field(default_factory=dict)
    # None where nobody can be asked, as inside a container.
    processes: Mapping[str, ProcessFacts] | None = None
    throttles: Mapping[str, int] = field(default_factory=dict)
    published: dict[str, CallWindow] = field(default_factory=dict)
    dead: dict[str, int] = field(default_factory=dict)
    lags: dict[tuple[str, str], int] = field(default_factory=dict)
    # Rows, and the age of the oldest in seconds, by service.
    outboxes: dict[str, tuple[int, float]] = field(default_factory=dict)
    orders: OrderBook = field(default_factory=OrderBook)
    faults_since: dict[tuple[str, str], str] = field(default_factory=dict)
    invariants: list[dict[str, Any]] = field(default_factory=list)

    def of(self, instance: str) -> InstanceFacts:
        return self.instances.setdefault(instance, InstanceFacts())

    def forget_strangers(self) -> None:
        """Who is neither registered nor a process of this shop any more takes no room."""
        names = {registered.instance for registered in self.registry}
        names |= {name for part in self.parts for name in part.fixed}
        names |= set(self.processes or ())
        for name in set(self.instances) - names:
            del self.instances[name]
