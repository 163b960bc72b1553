"""Who is registered, in memory: leases, status overrides and the delta.

Leases: Gray and Cheriton, 1989; the rules are those of Netflix's server as its clients see them.
One thread owns a registry; others may read counts and snapshots.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import takewhile

from discovery.registry.journal import Journal, LeaseEvent
from discovery.registry.models import (
    IN_TRAFFIC,
    ActionType,
    InstanceInfo,
    InstanceStatus,
    Key,
    Lease,
    RegistryClock,
    StatusOverride,
)
from discovery.registry.rules import LeaseRules, merge_status

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RecentChange:
    lease: Lease
    at: float


class Registry:
    """`version` grows with every change, `heartbeats` with every renewal.

    `preserving` says that nobody is evicted for now, `overdue` how many are not renewed.
    Methods that change something take the time of a replica's change where one is replayed.
    """

    def __init__(self, clock: RegistryClock, rules: Callable[[], LeaseRules] = LeaseRules) -> None:
        self._clock = clock
        self._rules = rules
        self._apps: dict[str, dict[str, Lease]] = {}
        self._overrides: dict[Key, StatusOverride] = {}
        self._changes: dict[Key, RecentChange] = {}
        self._swept_at = clock.steady()
        self.journal = Journal(clock)
        self.version = 1
        self.heartbeats = 0
        self.overdue = 0
        self.preserving = False

    def now(self) -> int:
        """Milliseconds on the wall's clock."""
        return self._clock.milliseconds()

    def register(
        self,
        instance: InstanceInfo,
        registered_at: int | None = None,
        overridden_at: int | None = None,
    ) -> Lease:
        """A new lease for `instance`, in place of the one it may have.

        The times come with a registration that another replica took before.
        """
        known = self._known(instance.key)
        self._inherit(instance, known, overridden_at or registered_at)
        last_dirty = instance.last_dirty or self._clock.milliseconds()
        if known and registered_at and known.is_at_least(last_dirty, registered_at):
            known.renew(self._clock)
            return known
        if known and known.last_dirty > last_dirty:
            # A younger registration is known: the lease is new, its content is not.
            instance, last_dirty = known.as_registered(), known.last_dirty
            registered_at = known.registered_at
        elif known and registered_at is None:
            instance = merge_status(instance, known)
        lease = self._lease(instance, known, last_dirty, registered_at)
        self._apps.setdefault(instance.app, {})[instance.id] = lease
        self._changed(lease, ActionType.ADDED)
        self.journal.record(LeaseEvent.REGISTERED, instance.key)
        return lease

    def _lease(
        self,
        instance: InstanceInfo,
        known: Lease | None,
        last_dirty: int,
        registered_at: int | None,
    ) -> Lease:
        now, steady = self._clock.milliseconds(), self._clock.steady()
        registered_at = registered_at or self._change_time(known)
        override = self._overrides.get(instance.key)
        lease = Lease(
            instance=instance,
            status=self._status(instance, registered_at),
            overridden=override.status if override else InstanceStatus.UNKNOWN,
            last_dirty=last_dirty,
            renewed_at=now,
            updated_at=now,
            registered_at=registered_at,
            due=steady + instance.overdue_after_seconds,
            ends=steady + instance.duration_seconds,
            up_since=known.up_since if known else 0,
        )
        lease.mark_up(now)
        return lease

    def _inherit(self, instance: InstanceInfo, known: Lease | None, at: int | None) -> None:
        """The override of another replica, when none is known here, or not any more."""
        if instance.overridden is InstanceStatus.UNKNOWN or instance.key in self._overrides:
            return
        override = StatusOverride(at or self._change_time(known), instance.overridden)
        if known:
            self._override(known, override, override.status)
        else:
            self._overrides[instance.key] = override

    def _status(self, instance: InstanceInfo, registered_at: int) -> InstanceStatus:
        """What the instance says, or the override: one that says DOWN after it is believed."""
        override = self._overrides.get(instance.key)
        if override is None or override.status is InstanceStatus.UNKNOWN:
            return instance.status
        overrides = instance.status in IN_TRAFFIC or override.at > registered_at
        return override.status if overrides else instance.status

    def renew(self, app: str, id_: str, last_dirty: int | None = None) -> bool:
        """Renew the lease; False makes the instance register again."""
        lease = self._known((app.upper(), id_))
        if lease is None or lease.status is InstanceStatus.UNKNOWN:
            return False
        lease.renew(self._clock)
        self.heartbeats += 1
        self.journal.record(LeaseEvent.RENEWED, lease.instance.key)
        return last_dirty is None or last_dirty <= lease.last_dirty

    def cancel(self, app: str, id_: str, last_dirty: int | None = None) -> Lease | None:
        """End the lease and return it; one that is younger than `last_dirty` stays."""
        lease = self._known((app.upper(), id_))
        if lease is None or (last_dirty is not None and lease.last_dirty > last_dirty):
            return None
        self._end(lease, LeaseEvent.CANCELLED)
        return lease

    def _end(self, lease: Lease, event: LeaseEvent) -> None:
        app, id_ = lease.instance.key
        leases = self._apps[app]
        del leases[id_]
        if not leases:
            del self._apps[app]
        self._overrides.pop((app, id_), None)
        lease.evicted_at = self._clock.milliseconds()
        self._changed(lease, ActionType.DELETED)
        self.journal.record(event, (app, id_))

    def override_status(
        self, app: str, id_: str, status: InstanceStatus, at: int | None = None
    ) -> bool:
        """Hold `status` against what the instance says; False when there is no such instance."""
        lease = self.instance(app, id_)
        if lease is None:
            return False
        lease.renew(self._clock)
        # Netflix's server skips what is so already; what another replica recorded is recorded here
        # too.
        if at is not None or lease.status is not status:
            self._override(lease, StatusOverride(at or self._change_time(lease), status), status)
        return True

    def remove_override(
        self, app: str, id_: str, status: InstanceStatus, at: int | None = None
    ) -> bool:
        """Back to `status`; with UNKNOWN the next heartbeat makes the instance register again."""
        lease = self.instance(app, id_)
        if lease is None:
            return False
        lease.renew(self._clock)
        removal = StatusOverride(at or self._change_time(lease), InstanceStatus.UNKNOWN)
        if at is None and lease.overridden is InstanceStatus.UNKNOWN:
            # Kept all the same: the override may be on its way from another replica.
            self._overrides[lease.instance.key] = self._later(lease, removal)
        else:
            self._override(lease, removal, status)
        return True

    def _change_time(self, known: Lease | None) -> int:
        """Now, or after all that is known of the lease, should another replica's clock be ahead."""
        if known is None:
            return self.now()
        override = self._overrides.get(known.instance.key)
        return max(self.now(), known.registered_at + 1, override.at + 1 if override else 0)

    def _override(self, lease: Lease, override: StatusOverride, status: InstanceStatus) -> None:
        if self._later(lease, override) is not override:
            return
        self._overrides[lease.instance.key] = override
        if lease.registered_at > override.at:  # a replica's, overtaken by a registration here
            status = self._status(lease.instance, lease.registered_at)
        lease.status, lease.overridden = status, override.status
        lease.mark_up(self._clock.milliseconds())
        self._changed(lease, ActionType.MODIFIED)

    def _later(self, lease: Lease, override: StatusOverride) -> StatusOverride:
        known = self._overrides.get(lease.instance.key)
        return known if known and known >= override else override

    def add_metadata(self, app: str, id_: str, entries: Mapping[str, str]) -> bool:
        lease = self.instance(app, id_)
        if lease is None:
            return False
        metadata = {**lease.instance.metadata, **entries}
        self.register(replace(lease.as_registered(), metadata=metadata))
        return True

    def sweep(self) -> None:
        """Evict lapsed leases and forget old changes, unless that was done a moment ago."""
        now, rules = self._clock.steady(), self._rules()
        if now - self._swept_at < rules.sweep_seconds:
            return
        self._swept_at = now
        leases = self.leases()
        # Counted among all, and not only those that lapse now: when a network fails, leases end
        # one after the other, and the first must not be gone before the last is missed.
        overdue = [lease for lease in leases if lease.due < now]
        self.overdue = len(overdue)
        self._preserve(rules.preserve(self.overdue, len(leases)))
        if not self.preserving:
            for lease in overdue:
                if lease.ends < now:
                    log.info("the lease of %s has lapsed", lease.instance.id)
                    self._end(lease, LeaseEvent.EVICTED)
        self._forget_changes(now - rules.delta_seconds)

    def _forget_changes(self, before: float) -> None:
        """They are in their order, so that those that stay need not be looked at."""
        changes = self._changes
        for key in list(takewhile(lambda key: changes[key].at < before, changes)):
            del changes[key]

    def _preserve(self, preserving: bool) -> None:
        if preserving and not self.preserving:
            log.warning("%d leases are not renewed: nobody is evicted for now", self.overdue)
        elif self.preserving and not preserving:
            log.warning("enough leases are renewed again: evicting goes on")
        self.preserving = preserving

    def leases(self) -> list[Lease]:
        """All of them, as they stand at this moment; for any thread."""
        return [lease for leases in list(self._apps.values()) for lease in list(leases.values())]

    def application(self, app: str) -> list[Lease]:
        return list(self._apps.get(app.upper(), {}).values())

    def override(self, key: Key) -> StatusOverride | None:
        """The last override of that instance, even if it was removed."""
        return self._overrides.get(key)

    def instance(self, app: str, id_: str) -> Lease | None:
        """The live lease: one that has lapsed is not found, even before the next sweep."""
        lease = self._known((app.upper(), id_))
        if lease and lease.ends < self._clock.steady() and not self.preserving:
            return None
        return lease

    def _known(self, key: Key) -> Lease | None:
        return self._apps.get(key[0], {}).get(key[1])

    def instance_by_id(self, id_: str) -> Lease | None:
        leases = (self.instance(app, id_) for app in self._apps)
        return next((lease for lease in leases if lease), None)

    def by_address(self, key: str, address: str) -> list[Lease]:
        """The instances whose `key` (vipAddress …) names `address`."""
        return [lease for lease in self.leases() if lease.instance.answers_to(key, address)]

    @property
    def changes(self) -> int:
        """How many changes the delta lists now; it shrinks when old ones are forgotten."""
        return len(self._changes)

    def delta(self) -> list[Lease]:
        """What changed lately: each instance once, with its last action."""
        return [change.lease for change in self._changes.values()]

    def _changed(self, lease: Lease, action: ActionType) -> None:
        lease.action = action
        lease.updated_at = self._clock.milliseconds()
        lease.rendered.clear()
        key = lease.instance.key
        self._changes.pop(key, None)  # the dictionary keeps the order of the changes
        self._changes[key] = RecentChange(lease, self._clock.steady())
        self.version += 1
