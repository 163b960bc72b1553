"""What is registered (`InstanceInfo`) and how the registry sees it at this moment (`Lease`)."""

import time
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

Key = tuple[str, str]  # an application's name and an instance's id

# Netflix's clients know these names, and the classes that go with them, and no others.
DATA_CENTERS = {
    "MyOwn": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
    "Netflix": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
    "Amazon": "com.netflix.appinfo.AmazonInfo",
}


class InstanceStatus(StrEnum):
    UP = "UP"
    DOWN = "DOWN"
    STARTING = "STARTING"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def of(cls, text: str) -> Self:
        """The status of that name in any case; a name nobody knows is UNKNOWN, as at Netflix's."""
        return cls.__members__.get(text.upper(), cls.UNKNOWN)


# The two that say whether an instance that runs is to be called.
IN_TRAFFIC = (InstanceStatus.UP, InstanceStatus.OUT_OF_SERVICE)


class ActionType(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class RegistryClock:
    """Wall time for what is shown, steady time for leases: a corrected clock must end none."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic

    def milliseconds(self) -> int:
        return int(self.wall() * 1000)


@dataclass(frozen=True, slots=True)
class Port:
    number: int
    enabled: bool


@dataclass(frozen=True, slots=True)
class DataCenter:
    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InstanceInfo:
    """One running copy of an application, as it registered itself."""

    app: str
    instance_id: str | None
    host_name: str
    ip_addr: str
    data_center: DataCenter
    status: InstanceStatus = InstanceStatus.UP
    overridden: InstanceStatus = InstanceStatus.UNKNOWN
    port: Port = Port(7001, enabled=True)
    secure_port: Port = Port(7002, enabled=False)
    country_id: int = 1
    renewal_seconds: int = 30
    duration_seconds: int = 90
    metadata: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)  # addresses and names, by wire key
    last_dirty: int | None = None

    @property
    def key(self) -> Key:
        return self.app, self.id

    @property
    def id(self) -> str:
        return self.instance_id or self.data_center.metadata.get("instance-id") or self.host_name

    @property
    def overdue_after_seconds(self) -> int:
        """How long without a renewal: two in a row are missing, or the duration is over."""
        return min(2 * self.renewal_seconds, self.duration_seconds)

    def answers_to(self, key: str, address: str) -> bool:
        """Whether the comma-separated list under `key` (vipAddress …) contains `address`."""
        return address in self.texts.get(key, "").split(",")


@dataclass(frozen=True, order=True, slots=True)
class StatusOverride:
    """A status held against what the instance says; UNKNOWN is one that was removed.

    Of two the later wins, at every replica.  `at` is wall milliseconds.
    """

    at: int
    status: InstanceStatus


@dataclass(slots=True)
class Lease:
    """An instance in the registry, until it is cancelled or lapses.

    Times are wall milliseconds, but `due`, when silence begins to be noticed, and `ends` are
    steady seconds, which are compared for all leases every second.  `registered_at` is when a
    replica first took this registration, the same at all of them.  `rendered` holds what lists
    show of it, by renderer, with the renewal that it shows.
    """

    instance: InstanceInfo
    status: InstanceStatus
    overridden: InstanceStatus
    last_dirty: int
    renewed_at: int
    updated_at: int
    registered_at: int
    due: float
    ends: float
    up_since: int = 0
    evicted_at: int = 0
    action: ActionType = ActionType.ADDED
    rendered: dict[Hashable, tuple[int, bytes]] = field(default_factory=dict)

    @property
    def own_status(self) -> InstanceStatus:
        """What it would be without the override, as far as that is known."""
        return self.instance.status if self.status is self.overridden else self.status

    def as_registered(self) -> InstanceInfo:
        """The instance with its changes since it registered, without the override."""
        return replace(self.instance, status=self.own_status, last_dirty=self.last_dirty)

    def is_at_least(self, last_dirty: int, registered_at: int) -> bool:
        """Whether a replica's registration of that age brings nothing new."""
        own = (self.last_dirty, self.registered_at)
        if own == (last_dirty, registered_at):
            return self.status is not InstanceStatus.UNKNOWN  # else this one sets the status again
        return own > (last_dirty, registered_at)

    def renew(self, clock: RegistryClock) -> None:
        self.renewed_at = clock.milliseconds()
        now = clock.steady()
        self.due = now + self.instance.overdue_after_seconds
        # Twice its duration, as Netflix's server does and its clients have come to rely on.
        self.ends = now + 2 * self.instance.duration_seconds

    def mark_up(self, now: int) -> None:
        if self.status is InstanceStatus.UP and not self.up_since:
            self.up_since = now


def by_application(leases: Iterable[Lease]) -> dict[str, list[Lease]]:
    applications: dict[str, list[Lease]] = {}
    for lease in leases:
        applications.setdefault(lease.instance.app, []).append(lease)
    return applications
