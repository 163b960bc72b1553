"""What is registered (`Instance`) and how the registry sees it at this moment (`Lease`)."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

# Netflix's clients know these names, and the classes that go with them, and no others.
DATA_CENTERS = {
    "MyOwn": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
    "Netflix": "com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo",
    "Amazon": "com.netflix.appinfo.AmazonInfo",
}


class Status(StrEnum):
    UP = "UP"
    DOWN = "DOWN"
    STARTING = "STARTING"
    OUT_OF_SERVICE = "OUT_OF_SERVICE"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def of(cls, text: str) -> Self:
        """The status of that name in any case; a name nobody knows is UNKNOWN, as at Netflix's."""
        return cls.__members__.get(text.upper(), cls.UNKNOWN)


class Action(StrEnum):
    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class Clock:
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
class Instance:
    """One running copy of an application, in its own words."""

    app: str
    instance_id: str | None
    host_name: str
    ip_addr: str
    data_center: DataCenter
    status: Status = Status.UP
    overridden: Status = Status.UNKNOWN
    port: Port = Port(7001, enabled=True)
    secure_port: Port = Port(7002, enabled=False)
    country_id: int = 1
    renewal_seconds: int = 30
    duration_seconds: int = 90
    metadata: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)  # addresses and names, by wire key
    last_dirty: int | None = None

    @property
    def id(self) -> str:
        return self.instance_id or self.data_center.metadata.get("instance-id") or self.host_name

    def answers_to(self, key: str, address: str) -> bool:
        """Whether the comma-separated list under `key` (vipAddress …) contains `address`."""
        return address in self.texts.get(key, "").split(",")


@dataclass(slots=True)
class Lease:
    """The registry's word on an instance; times are wall milliseconds, `ends` is steady seconds."""

    instance: Instance
    status: Status
    overridden: Status
    last_dirty: int
    registered_at: int
    renewed_at: int
    updated_at: int
    ends: float
    up_since: int = 0
    evicted_at: int = 0
    action: Action = Action.ADDED

    def as_seen(self) -> Instance:
        """The instance with what has become of it since it registered."""
        return replace(
            self.instance,
            status=self.status,
            overridden=self.overridden,
            last_dirty=self.last_dirty,
        )

    def renew(self, clock: Clock) -> None:
        self.renewed_at = clock.milliseconds()
        # Twice its duration, as Netflix's server does and its clients have come to rely on.
        self.ends = clock.steady() + 2 * self.instance.duration_seconds

    def lapsed(self, clock: Clock) -> bool:
        return clock.steady() > self.ends

    def serve(self, now: int) -> None:
        if self.status is Status.UP and not self.up_since:
            self.up_since = now
