"""Who is registered, in memory: leases, status overrides and what changed lately.

The rules are those of Netflix's server as its clients see them.  One thread owns a registry.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from discovery.models import Action, Clock, Instance, Lease, Status

log = logging.getLogger(__name__)

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Timing:
    """How often lapsed leases are looked for, and how long a change stays in the delta."""

    sweep_seconds: float = 1.0
    delta_seconds: float = 180.0


@dataclass(frozen=True, slots=True)
class Change:
    lease: Lease
    at: float


class Registry:
    """`version` grows with every change, `heartbeats` with every renewal."""

    def __init__(self, clock: Clock, timing: Callable[[], Timing] = Timing) -> None:
        self._clock = clock
        self._timing = timing
        self._apps: dict[str, dict[str, Lease]] = {}
        self._overrides: dict[Key, Status] = {}
        self._changes: dict[Key, Change] = {}
        self._swept_at = clock.steady()
        self.version = 1
        self.heartbeats = 0

    def register(self, instance: Instance) -> Lease:
        """A new lease for `instance`, in place of the one it may have."""
        known = self._apps.get(instance.app, {}).get(instance.id)
        said_at = instance.last_dirty or self._clock.milliseconds()
        if known and known.last_dirty > said_at:
            # Overtaken by a younger registration: the lease is new, what it says is not.
            instance, said_at = known.as_seen(), known.last_dirty
        if instance.overridden is not Status.UNKNOWN:
            self._overrides.setdefault((instance.app, instance.id), instance.overridden)
        lease = self._lease(instance, known, said_at)
        self._apps.setdefault(instance.app, {})[instance.id] = lease
        self._changed(lease, Action.ADDED)
        return lease

    def _lease(self, instance: Instance, known: Lease | None, said_at: int) -> Lease:
        now = self._clock.milliseconds()
        lease = Lease(
            instance=instance,
            status=self._status(instance, instance.status, known),
            overridden=self._overrides.get((instance.app, instance.id), Status.UNKNOWN),
            last_dirty=said_at,
            registered_at=now,
            renewed_at=now,
            updated_at=now,
            ends=self._clock.steady() + instance.duration_seconds,
            up_since=known.up_since if known else 0,
        )
        lease.serve(now)
        return lease

    def _status(self, instance: Instance, said: Status, known: Lease | None) -> Status:
        if said not in (Status.UP, Status.OUT_OF_SERVICE):
            return said
        if (override := self._overrides.get((instance.app, instance.id))) is not None:
            return override
        if known and known.status in (Status.UP, Status.OUT_OF_SERVICE):
            return known.status
        return said

    def renew(self, app: str, id_: str, last_dirty: int | None = None) -> bool:
        """Prolong the lease; False tells the instance to register anew."""
        lease = self._apps.get(app.upper(), {}).get(id_)
        if lease is None:
            return False
        lease.status = self._status(lease.instance, lease.status, lease)
        if lease.status is Status.UNKNOWN:
            return False
        lease.renew(self._clock)
        self.heartbeats += 1
        return last_dirty is None or last_dirty <= lease.last_dirty

    def cancel(self, app: str, id_: str) -> bool:
        leases = self._apps.get(app.upper(), {})
        lease = leases.pop(id_, None)
        if lease is None:
            return False
        if not leases:
            del self._apps[app.upper()]
        self._overrides.pop((lease.instance.app, id_), None)
        lease.evicted_at = self._clock.milliseconds()
        self._changed(lease, Action.DELETED)
        return True

    def override_status(self, app: str, id_: str, status: Status) -> bool:
        """Hold `status` against what the instance says; False when there is no such instance."""
        lease = self.instance(app, id_)
        if lease is None:
            return False
        lease.renew(self._clock)
        if lease.status is not status:
            self._overrides[(lease.instance.app, id_)] = status
            lease.status = lease.overridden = status
            lease.serve(self._clock.milliseconds())
            self._changed(lease, Action.MODIFIED)
        return True

    def remove_override(self, app: str, id_: str, status: Status) -> bool:
        """Back to `status`; with UNKNOWN the next heartbeat makes the instance register anew."""
        lease = self.instance(app, id_)
        if lease is None:
            return False
        lease.renew(self._clock)
        if self._overrides.pop((lease.instance.app, id_), None) is not None:
            lease.status, lease.overridden = status, Status.UNKNOWN
            self._changed(lease, Action.MODIFIED)
        return True

    def add_metadata(self, app: str, id_: str, entries: Mapping[str, str]) -> bool:
        lease = self.instance(app, id_)
        if lease is None:
            return False
        metadata = {**lease.instance.metadata, **entries}
        self.register(replace(lease.as_seen(), metadata=metadata))
        return True

    def sweep(self) -> None:
        """End lapsed leases and forget old changes, unless that was done a moment ago.

        Whoever lists calls this first, so that no timer runs that could die unnoticed.
        """
        now, timing = self._clock.steady(), self._timing()
        if now - self._swept_at < timing.sweep_seconds:
            return
        self._swept_at = now
        for lease in [lease for lease in self.leases() if lease.lapsed(self._clock)]:
            log.info("the lease of %s has lapsed", lease.instance.id)
            self.cancel(lease.instance.app, lease.instance.id)
        oldest = now - timing.delta_seconds
        self._changes = {key: each for key, each in self._changes.items() if each.at >= oldest}

    def leases(self) -> Iterator[Lease]:
        return (lease for leases in self._apps.values() for lease in leases.values())

    def applications(self) -> dict[str, list[Lease]]:
        return {app: list(leases.values()) for app, leases in self._apps.items()}

    def application(self, app: str) -> list[Lease]:
        return list(self._apps.get(app.upper(), {}).values())

    def instance(self, app: str, id_: str) -> Lease | None:
        """The live lease: one that has lapsed is not found, even before the next sweep."""
        lease = self._apps.get(app.upper(), {}).get(id_)
        return None if lease is None or lease.lapsed(self._clock) else lease

    def instance_by_id(self, id_: str) -> Lease | None:
        found = (self.instance(app, id_) for app in self._apps)
        return next((lease for lease in found if lease), None)

    def by_address(self, key: str, address: str) -> dict[str, list[Lease]]:
        """Per application, the instances whose `key` (vipAddress …) names `address`."""
        found: dict[str, list[Lease]] = {}
        for lease in self.leases():
            if lease.instance.answers_to(key, address):
                found.setdefault(lease.instance.app, []).append(lease)
        return found

    @property
    def changes(self) -> int:
        """How many changes the delta lists now; it shrinks when old ones are forgotten."""
        return len(self._changes)

    def delta(self) -> dict[str, list[Lease]]:
        """Per application, what changed lately: each instance once, with its last action."""
        found: dict[str, list[Lease]] = {}
        for (app, _), change in self._changes.items():
            found.setdefault(app, []).append(change.lease)
        return found

    def _changed(self, lease: Lease, action: Action) -> None:
        lease.action = action
        lease.updated_at = self._clock.milliseconds()
        key = (lease.instance.app, lease.instance.id)
        self._changes.pop(key, None)  # the dictionary keeps the order of the changes
        self._changes[key] = Change(lease, self._clock.steady())
        self.version += 1
